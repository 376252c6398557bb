CREATE TABLE public.scorecard_perameters (id serial PRIMARY KEY, label text NOT NULL UNIQUE, weight integer DEFAULT 1);
CREATE TABLE public.marks (id integer PRIMARY KEY, parameter integer REFERENCES public.scorecard_perameters (id));
INSERT INTO public.scorecard_perameters (label) SELECT 'p' || g FROM generate_series(1, 50) g;
