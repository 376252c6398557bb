INSERT INTO public.events (kind, at) VALUES ('old', '2024-05-01 10:00:00');
UPDATE public.events SET at = 'soon' WHERE id = 5;
SELECT kind, at FROM public.events WHERE id < 9;
