CREATE TABLE public.lines (
    id text PRIMARY KEY, order_id integer NOT NULL, line_no integer NOT NULL, item text, cents integer, rest jsonb NOT NULL DEFAULT '{}'
);
