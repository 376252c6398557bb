-- One label for each parcel that can be delivered.
CREATE TABLE public.labels (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tag text, printed_at timestamptz DEFAULT now());
