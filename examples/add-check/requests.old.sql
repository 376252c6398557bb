INSERT INTO public.items (name, price) VALUES ('old', 1), ('free', NULL);
UPDATE public.items SET price = price + 1 WHERE id < 5;
