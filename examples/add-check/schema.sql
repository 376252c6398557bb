CREATE TABLE public.items (id serial PRIMARY KEY, name text, price numeric(10, 2));
INSERT INTO public.items (name, price) SELECT 'i' || g, g FROM generate_series(1, 100) g;
