CREATE TABLE public.calls (id serial PRIMARY KEY, started timestamp NOT NULL, minutes integer);
INSERT INTO public.calls (started, minutes) SELECT timestamp '2024-01-01 08:00' + g * interval '37 hours', g FROM generate_series(1, 300) g;
INSERT INTO public.calls (started, minutes) VALUES ('2024-10-27 02:30', 5), ('2024-03-31 02:30', 5);  -- an hour that was there twice, and one that never was
