CREATE INDEX events_by_kind ON public.events ((data ->> 'kind'));
