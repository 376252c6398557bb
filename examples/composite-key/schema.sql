CREATE TABLE public.order_lines (order_id integer, line integer, price text, PRIMARY KEY (order_id, line));
INSERT INTO public.order_lines SELECT g / 4, g % 4, (g / 7.0)::numeric(10, 2)::text FROM generate_series(0, 199) g;
