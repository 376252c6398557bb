INSERT INTO public.calls (started_at, minutes) VALUES ('2024-06-01 10:00+00', 1), ('2024-10-27 01:30+00', 1);
UPDATE public.calls SET started_at = started_at + interval '1 hour' WHERE id = 9;
