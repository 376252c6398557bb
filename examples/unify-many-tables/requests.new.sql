INSERT INTO public.visits (office, guest, seen) VALUES ('012', 'new', '2025-01-01');
UPDATE public.visits SET guest = 'changed' WHERE office = '004' AND seen = '2024-01-09';
SELECT office, count(*) FROM public.visits WHERE seen > '2024-01-05' GROUP BY office;
