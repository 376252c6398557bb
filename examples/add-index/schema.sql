CREATE TABLE public.visits (id serial PRIMARY KEY, day date NOT NULL DEFAULT current_date, page text, agent text, token text);
INSERT INTO public.visits (page, agent, token) SELECT '/' || g % 7, 'bot', md5(g::text) FROM generate_series(1, 500) g;
