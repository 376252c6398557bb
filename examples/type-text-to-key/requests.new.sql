INSERT INTO public.orders (status_id, amount) SELECT id, 3 FROM public.statuses WHERE code = 'paid';
UPDATE public.orders o SET status_id = s.id FROM public.statuses s WHERE s.code = 'open' AND o.id = 9;
SELECT o.id, s.code FROM public.orders o JOIN public.statuses s ON s.id = o.status_id;
