-- One label for each parcel that can be delivered, by the month in which it is due.
CREATE TABLE public.labels (
    id uuid DEFAULT gen_random_uuid(), tag text, due date NOT NULL, printed_at timestamptz DEFAULT now(), PRIMARY KEY (id, due)
) PARTITION BY RANGE (due);
CREATE INDEX labels_tag ON public.labels (tag);
