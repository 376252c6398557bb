-- One table for the tickets of every queue.
CREATE TABLE public.tickets (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    queue         text NOT NULL,
    subject       text,
    state         text NOT NULL DEFAULT 'open',
    opened        date NOT NULL DEFAULT '2024-02-29',
    weight        numeric(6, 2),
    extra         jsonb NOT NULL DEFAULT '{}',
    legacy        jsonb NOT NULL DEFAULT '{}',
    legacy_exempt text[] NOT NULL DEFAULT '{}',
    CONSTRAINT known_state CHECK (state IN ('open', 'closed', 'unknown')),
    CONSTRAINT no_negative_weight CHECK (weight >= 0 OR 'no_negative_weight' = ANY (legacy_exempt))
);
