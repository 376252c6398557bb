INSERT INTO public.events (data) VALUES ('{"kind": "new"}');
UPDATE public.events SET data = data || '{"seen": true}' WHERE id = 3;
SELECT count(*) FROM public.events WHERE data ->> 'kind' = 'click';
