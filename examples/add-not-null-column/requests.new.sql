INSERT INTO public.orders (customer, priority) VALUES ('new', 1);
SELECT customer FROM public.orders WHERE priority < 3;
