CREATE TABLE public.numbers (customer_id integer NOT NULL, kind text NOT NULL, number text NOT NULL, PRIMARY KEY (customer_id, kind));
