INSERT INTO public.visits (page, agent) VALUES ('/new', 'fox');
SELECT count(*) FROM public.visits WHERE day > '2020-01-01';
