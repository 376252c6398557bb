CREATE TABLE public.shops (id serial PRIMARY KEY, street text, zip text, town text);
INSERT INTO public.shops (street, zip, town) SELECT 'Street ' || g, lpad(g::text, 5, '0'), 'Town' || g FROM generate_series(1, 100) g;
INSERT INTO public.shops (street, zip, town) VALUES (NULL, '12345', 'Nowhere'), (NULL, NULL, NULL);
