INSERT INTO public.people (first_name, last_name) VALUES ('Dan', 'New'), (NULL, 'Homer');
UPDATE public.people SET last_name = 'Changed' WHERE id = 6;
