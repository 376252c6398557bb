INSERT INTO public.contacts (name, fax) VALUES ('old', '555');
UPDATE public.contacts SET fax = '1' WHERE id = 4;
