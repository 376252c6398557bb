CREATE INDEX labels_tag ON public.labels (tag);
