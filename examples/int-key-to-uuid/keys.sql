ALTER TABLE public.purchases ADD CONSTRAINT purchases_customer_fkey FOREIGN KEY (customer_id) REFERENCES public.customers (id);
