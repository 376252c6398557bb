INSERT INTO public.readings VALUES ('old', clock_timestamp(), '12');
UPDATE public.readings SET value = '13' WHERE sensor = 's1' AND at = '2024-01-01 00:01';
