ALTER TABLE public.steps ADD CONSTRAINT steps_status FOREIGN KEY (status_id) REFERENCES public.statuses (id);
