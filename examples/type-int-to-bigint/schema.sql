CREATE TABLE public.files (id serial PRIMARY KEY, path text NOT NULL, bytes integer NOT NULL);
INSERT INTO public.files (path, bytes) SELECT '/f/' || g, g * 1000000 FROM generate_series(1, 200) g;
