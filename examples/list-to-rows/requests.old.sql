INSERT INTO public.articles (title, tags) VALUES ('old', 'news, weather');
UPDATE public.articles SET tags = 'weather' WHERE id = 5;
UPDATE public.articles SET tags = NULL WHERE id = 6;
