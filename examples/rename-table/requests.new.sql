INSERT INTO public.scorecard_parameters (label) VALUES ('new') ON CONFLICT (label) DO NOTHING;
UPDATE public.scorecard_parameters SET weight = weight + 1 WHERE id = 3;
