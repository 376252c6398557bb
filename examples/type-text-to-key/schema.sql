CREATE TABLE public.orders (id serial PRIMARY KEY, status varchar(20), amount numeric(10, 2));
INSERT INTO public.orders (status, amount)
SELECT (ARRAY['open', 'Open', 'PAID', ' paid ', 'sent', NULL])[1 + g % 6], g FROM generate_series(1, 120) g;
