INSERT INTO public.orders (customer) VALUES ('old');
UPDATE public.orders SET customer = customer || '.' WHERE id = 1;
SELECT id, customer FROM public.orders LIMIT 10;
