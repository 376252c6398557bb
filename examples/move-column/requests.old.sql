INSERT INTO public.customers (name, phone) VALUES ('old', '1');
UPDATE public.customers SET mobile = '2' WHERE id = 5;
UPDATE public.customers SET phone = NULL WHERE id = 6;
