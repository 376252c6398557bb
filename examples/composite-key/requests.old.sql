UPDATE public.order_lines SET price = '9.99' WHERE order_id = 3 AND line = 1;
INSERT INTO public.order_lines SELECT max(order_id) + 1, 0, '1.10' FROM public.order_lines;
