-- Added after the rows.
ALTER TABLE public.persons ADD CONSTRAINT persons_city_id_fkey FOREIGN KEY (city_id) REFERENCES public.cities (id);
