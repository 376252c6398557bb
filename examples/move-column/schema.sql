CREATE TABLE public.customers (id serial PRIMARY KEY, name text NOT NULL, phone text, mobile text);
INSERT INTO public.customers (name, phone, mobile) SELECT 'c' || g, '555-' || g, nullif('0' || g % 2, '00') FROM generate_series(1, 100) g;
