CREATE TABLE public.users (id serial PRIMARY KEY, fullname text NOT NULL);
INSERT INTO public.users (fullname) SELECT 'u' || g FROM generate_series(1, 50) g;
