CREATE TABLE public.staff (number serial PRIMARY KEY, email text, name text, phone text);
CREATE TABLE public.logins (id serial PRIMARY KEY, email text NOT NULL UNIQUE, password_hash text, last_seen timestamptz);
INSERT INTO public.staff (email, name) SELECT 'p' || g || '@example.com', 'Person ' || g FROM generate_series(1, 60) g;
INSERT INTO public.logins (email, password_hash) SELECT 'P' || g || '@Example.com', md5(g::text) FROM generate_series(31, 90) g;
INSERT INTO public.staff (email, name) VALUES ('p1@example.com', 'Person 1 again'), (NULL, 'Nobody');
