UPDATE public.order_lines SET cents = 1234 WHERE order_id = 4 AND line = 1;
INSERT INTO public.order_lines (order_id, line, cents) SELECT max(order_id) + 1, 0, 210 FROM public.order_lines;
