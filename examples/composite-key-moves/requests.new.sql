INSERT INTO public.lines (id, order_id, line_no, item, cents) SELECT '2000/' || n, 2000, n, 'new', 100 FROM (SELECT 1 + coalesce(max(line_no), 0) AS n FROM public.lines WHERE order_id = 2000) m;
UPDATE public.lines SET cents = cents + 5 WHERE order_id = 5;
SELECT item FROM public.lines WHERE order_id = 2 ORDER BY line_no;
