CREATE TABLE public.customer (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.purchase (
    id          serial PRIMARY KEY,
    customer_id integer REFERENCES public.customer (id),
    amount      numeric(10, 2)
);
INSERT INTO public.customer (name) SELECT 'c' || g FROM generate_series(1, 50) g;
INSERT INTO public.purchase (customer_id, amount) SELECT nullif(g % 51, 0), g FROM generate_series(1, 500) g;
