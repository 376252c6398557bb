-- One row for each person, whoever knows them.
CREATE TABLE public.cities (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
CREATE UNIQUE INDEX cities_name ON public.cities (lower(name));

CREATE TABLE public.persons (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text NOT NULL UNIQUE,
    name          text NOT NULL,
    nickname      text,
    city_id       integer,
    active        boolean NOT NULL DEFAULT true,
    phone         text,
    seen          timestamptz,
    visits        integer NOT NULL DEFAULT 0,
    prefs         jsonb NOT NULL DEFAULT '{}',
    legacy        jsonb NOT NULL DEFAULT '{}',
    legacy_exempt text[] NOT NULL DEFAULT '{}'
);
