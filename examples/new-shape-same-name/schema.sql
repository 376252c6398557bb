CREATE TABLE public.events (id serial PRIMARY KEY, kind text NOT NULL, at text);
INSERT INTO public.events (kind, at) SELECT 'click', (timestamp '2024-01-01' + g * interval '1 hour')::text FROM generate_series(1, 200) g;
