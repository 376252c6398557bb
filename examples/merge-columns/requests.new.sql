INSERT INTO public.shops (address) VALUES ('{"street": "New Street", "town": "There"}');
UPDATE public.shops SET address = address || '{"zip": "3"}' WHERE id = 6;
