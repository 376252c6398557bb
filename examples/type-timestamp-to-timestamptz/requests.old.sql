INSERT INTO public.calls (started, minutes) VALUES ('2024-06-01 12:00', 1), ('2024-03-31 02:45', 1);
UPDATE public.calls SET started = started + interval '1 day' WHERE id = 8;
