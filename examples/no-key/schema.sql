CREATE TABLE public.readings (sensor text, at timestamp, value text);
INSERT INTO public.readings SELECT 's' || g % 5, timestamp '2024-01-01' + g * interval '1 minute', g::text FROM generate_series(1, 200) g;
