CREATE TABLE public.survey (id serial PRIMARY KEY, respondent text, taken date, q1 integer, q2 integer, q3 integer);
INSERT INTO public.survey (respondent, taken, q1, q2, q3)
SELECT 'r' || g, date '2024-01-01' + g, g % 5, nullif(g % 4, 0), nullif(g % 3, 0) FROM generate_series(1, 100) g;
