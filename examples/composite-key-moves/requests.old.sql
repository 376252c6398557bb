INSERT INTO public.order_lines (order_id, line_no, item, price) SELECT 1000, 1 + coalesce(max(line_no), 0), 'old', '2.50' FROM public.order_lines WHERE order_id = 1000;
UPDATE public.order_lines SET price = '9.99' WHERE order_id = 3 AND line_no = 2;
SELECT item FROM public.order_lines WHERE order_id = 2 ORDER BY line_no;
