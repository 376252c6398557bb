ALTER TABLE public.orders ADD CONSTRAINT orders_status_fkey FOREIGN KEY (status_id) REFERENCES public.statuses (id);
