-- A mark without its ticket means nothing.
ALTER TABLE public.ticket_marks ADD CONSTRAINT ticket_marks_ticket_id_fkey
    FOREIGN KEY (ticket_id) REFERENCES public.tickets (id) ON DELETE CASCADE;
