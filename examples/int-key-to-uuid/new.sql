CREATE TABLE public.customers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, originals jsonb NOT NULL DEFAULT '{}');
CREATE TABLE public.purchases (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id uuid, amount numeric(10, 2), originals jsonb NOT NULL DEFAULT '{}');
