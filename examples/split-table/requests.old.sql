INSERT INTO public.survey (respondent, q1, q2) VALUES ('old', 1, 2);
UPDATE public.survey SET q3 = 5, q1 = NULL WHERE id = 5;
DELETE FROM public.survey WHERE id = (SELECT min(id) FROM public.survey WHERE id > 50);
