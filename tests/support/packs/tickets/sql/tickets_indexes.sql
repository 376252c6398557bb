-- Built after the rows.
CREATE INDEX tickets_queue_opened ON public.tickets (queue, opened);
CREATE INDEX tickets_subject ON public.tickets (lower(subject));
