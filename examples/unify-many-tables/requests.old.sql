INSERT INTO public.visits_001 (guest, seen) VALUES ('old', '2025-01-01');
UPDATE public.visits_003 SET badge = 'B1' WHERE id = 4;
DELETE FROM public.visits_002 WHERE id = (SELECT min(id) FROM public.visits_002);
