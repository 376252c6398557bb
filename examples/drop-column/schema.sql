CREATE TABLE public.contacts (id serial PRIMARY KEY, name text, fax text NOT NULL);
INSERT INTO public.contacts (name, fax) SELECT 'c' || g, 'f' || g FROM generate_series(1, 50) g;
