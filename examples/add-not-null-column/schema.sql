CREATE TABLE public.orders (id serial PRIMARY KEY, customer text NOT NULL);
INSERT INTO public.orders (customer) SELECT 'c' || g FROM generate_series(1, 100) g;
