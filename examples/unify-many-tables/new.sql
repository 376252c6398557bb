CREATE TABLE public.visits (
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    office    text NOT NULL,
    guest     text,
    seen      date,
    extra     jsonb NOT NULL DEFAULT '{}',
    originals jsonb NOT NULL DEFAULT '{}'
);
