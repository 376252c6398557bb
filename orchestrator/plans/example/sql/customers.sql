-- The new schema of the example: one table of customers.
--
-- Number 1 stands in both old tables, so a customer gets an id made of table and number, and keeps shop and number.
-- legacy holds only what the way back would not return by itself (the spelling ACTIVE), and legacy_exempt the names of
-- the rules that an old row breaks: new rules bind new rows.

CREATE TABLE public.customers (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    shop          text NOT NULL,
    number        integer NOT NULL,
    email         text NOT NULL,
    name          text,
    status        text NOT NULL DEFAULT 'active',
    credit        numeric(10, 2) NOT NULL DEFAULT 0,
    joined        date,
    extra         jsonb NOT NULL DEFAULT '{}'::jsonb,
    legacy        jsonb NOT NULL DEFAULT '{}'::jsonb,
    legacy_exempt text[] NOT NULL DEFAULT '{}'::text[],
    CONSTRAINT customers_shop_number_key UNIQUE (shop, number),
    CONSTRAINT exempt_names_are_given CHECK (array_position(legacy_exempt, NULL) IS NULL),
    CONSTRAINT folded_email CHECK (email = lower(btrim(email)) OR 'folded_email' = ANY (legacy_exempt)),
    CONSTRAINT known_status CHECK (status IN ('active', 'closed') OR 'known_status' = ANY (legacy_exempt)),
    CONSTRAINT no_negative_credit CHECK (credit >= 0 OR 'no_negative_credit' = ANY (legacy_exempt))
);
