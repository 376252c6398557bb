CREATE INDEX steps_status_id ON public.steps (status_id);
