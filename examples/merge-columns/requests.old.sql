INSERT INTO public.shops (street, zip, town) VALUES ('Old Street', '1', 'Here');
UPDATE public.shops SET zip = '2' WHERE id = 5;
