WITH made AS (INSERT INTO public.surveys (respondent) VALUES ('new') RETURNING id) INSERT INTO public.answers SELECT id, 'q2', 4 FROM made;
UPDATE public.answers SET score = 3 WHERE survey_id = 6 AND question = 'q1';
DELETE FROM public.answers WHERE survey_id = 7 AND question = 'q2';
DELETE FROM public.surveys WHERE id = (SELECT min(id) FROM public.surveys WHERE id > 30);
