INSERT INTO public.customer (name) VALUES ('old');
INSERT INTO public.purchase (customer_id, amount) SELECT max(id), 1 FROM public.customer;
UPDATE public.purchase SET customer_id = 3 WHERE id = 7;
SELECT c.name, sum(amount) FROM public.customer c JOIN public.purchase p ON p.customer_id = c.id GROUP BY 1;
