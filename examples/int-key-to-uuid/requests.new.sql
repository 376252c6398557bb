INSERT INTO public.customers (name) VALUES ('new');
INSERT INTO public.purchases (customer_id, amount) SELECT id, 2 FROM public.customers WHERE name = 'new';
UPDATE public.customers SET name = 'new!' WHERE name = 'c9';
SELECT c.name, sum(amount) FROM public.customers c JOIN public.purchases p ON p.customer_id = c.id GROUP BY 1;
