INSERT INTO public.people (full_name) VALUES ('Cleo Old'), ('Socrates');
UPDATE public.people SET full_name = 'Ann Married' WHERE id = 5;
