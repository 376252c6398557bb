-- Only once the old application is gone: until then it may delete a queue.
ALTER TABLE public.tickets ADD CONSTRAINT tickets_queue_fkey FOREIGN KEY (queue) REFERENCES public.queues (name);
