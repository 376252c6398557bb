CREATE TABLE public.order_lines (order_id integer, line_no integer, item text, price text, PRIMARY KEY (order_id, line_no));
INSERT INTO public.order_lines SELECT 1 + g / 4, 1 + g % 4, 'item ' || g, (g * 1.25)::text FROM generate_series(0, 199) g;
