INSERT INTO public.readings (sensor, at, number) VALUES ('new', clock_timestamp(), 12);
UPDATE public.readings SET number = 14.5 WHERE sensor = 's2' AND at = '2024-01-01 00:02';
