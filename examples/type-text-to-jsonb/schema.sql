CREATE TABLE public.events (id serial PRIMARY KEY, payload text);
INSERT INTO public.events (payload) SELECT format('{"n": %s,  "kind":"click"}', g) FROM generate_series(1, 100) g;
INSERT INTO public.events (payload) VALUES (NULL), ('{broken');
