INSERT INTO public.orders (status, amount) VALUES ('Open', 1), ('lost', 2);
UPDATE public.orders SET status = 'sent' WHERE id = 7;
SELECT id FROM public.orders WHERE status = 'open';
