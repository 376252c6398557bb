INSERT INTO public.files (path, bytes) VALUES ('/old', 12);
UPDATE public.files SET bytes = bytes + 1 WHERE id = 5;
