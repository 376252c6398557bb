-- One row for each mark that counted.
CREATE TABLE public.ticket_marks (
    ticket_id uuid NOT NULL,
    mark      text NOT NULL,
    score     numeric NOT NULL,
    PRIMARY KEY (ticket_id, mark)
);
