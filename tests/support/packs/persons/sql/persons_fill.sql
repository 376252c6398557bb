-- The cities that everybody knows.
INSERT INTO public.cities (name) VALUES ('Delft') ON CONFLICT DO NOTHING;
