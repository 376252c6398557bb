CREATE TABLE public.tags (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO public.tags (name) VALUES ('news'), ('sport'), ('weather');
CREATE TABLE public.articles (id serial PRIMARY KEY, title text NOT NULL, tags text);
INSERT INTO public.articles (title, tags) SELECT 'a' || g, (ARRAY['news', 'Sport, news', '', 'weather,weather'])[1 + g % 4] FROM generate_series(1, 100) g;
UPDATE public.articles SET tags = 'news,wether' WHERE id = 4;
