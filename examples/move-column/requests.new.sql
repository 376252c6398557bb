INSERT INTO public.numbers (customer_id, kind, number) VALUES (8, 'mobile', '7') ON CONFLICT (customer_id, kind) DO UPDATE SET number = excluded.number;
DELETE FROM public.numbers WHERE customer_id = 9 AND kind = 'phone';
