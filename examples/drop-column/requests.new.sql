SELECT id, name FROM public.contacts;
UPDATE public.contacts SET name = 'new' WHERE id = 5;
