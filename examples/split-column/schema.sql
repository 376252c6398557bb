CREATE TABLE public.people (id serial PRIMARY KEY, full_name text NOT NULL);
INSERT INTO public.people (full_name) SELECT 'Ann  Lee Archer' || g FROM generate_series(1, 100) g;
INSERT INTO public.people (full_name) VALUES ('Plato'), (''), (' Bob Baker ');
