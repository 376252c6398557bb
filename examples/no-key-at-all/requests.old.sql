INSERT INTO public.events (kind, said) VALUES ('k1', '5'), ('k1', '5');
UPDATE public.events SET said = '6' WHERE kind = 'k1' AND said = '5';
DELETE FROM public.events WHERE kind = 'k2' AND said = '3';
