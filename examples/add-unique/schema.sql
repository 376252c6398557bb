CREATE TABLE public.accounts (id serial PRIMARY KEY, email text);
INSERT INTO public.accounts (email) SELECT g || '@example.com' FROM generate_series(1, 100) g;
