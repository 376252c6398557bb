CREATE TABLE public.events (kind text, said text);
INSERT INTO public.events SELECT 'k' || g % 3, (g % 7)::text FROM generate_series(1, 500) g;
