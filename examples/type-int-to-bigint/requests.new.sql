INSERT INTO public.files (path, size) VALUES ('/new', 12), ('/huge', 5000000000);
UPDATE public.files SET size = size + 1 WHERE id = 6;
