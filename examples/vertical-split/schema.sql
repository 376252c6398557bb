CREATE TABLE public.accounts (id serial PRIMARY KEY, login text NOT NULL DEFAULT '', bio text, picture text);
INSERT INTO public.accounts (login, bio, picture) SELECT 'u' || g, 'bio ' || g, nullif('p' || g % 3, 'p0') FROM generate_series(1, 100) g;
