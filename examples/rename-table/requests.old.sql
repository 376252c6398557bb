INSERT INTO public.scorecard_perameters (label) VALUES ('old') ON CONFLICT (label) DO UPDATE SET weight = 2;
SELECT * FROM public.scorecard_perameters WHERE id = 3 FOR UPDATE;
DELETE FROM public.scorecard_perameters WHERE label = 'old';
