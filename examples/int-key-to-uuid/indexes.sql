CREATE INDEX customers_by_old_number ON public.customers (((originals ->> 'id')::integer));
CREATE INDEX purchases_by_customer ON public.purchases (customer_id);
