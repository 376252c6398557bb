CREATE INDEX orders_by_status ON public.orders (status_id);
