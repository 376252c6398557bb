-- The old schema of the harness' merge: people as the office knows them, and as the login does.
--   e-mails in any spelling, several rows of one person, e-mails that are none, no key on one of the tables.
CREATE TABLE public.staff (
    number integer,
    email  text,
    name   text,
    city   text DEFAULT 'Delft',
    active boolean DEFAULT true,
    phone  varchar(30),
    badge  integer DEFAULT 7
);

CREATE TABLE public.logins (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email    text NOT NULL,
    nickname text,
    seen     timestamptz DEFAULT '2024-01-01 00:00:00+00',
    visits   integer DEFAULT 0,
    prefs    jsonb DEFAULT '{"mail": true}'
);

INSERT INTO public.staff (number, email, name, city, active, phone)
SELECT i,
       CASE WHEN i % 29 = 0 THEN NULL
            WHEN i % 31 = 0 THEN 'nobody'
            WHEN i % 13 = 0 THEN ' P' || (i - 1) || '@Example.COM '
            ELSE 'p' || i || '@example.com' END,
       'person ' || i, (ARRAY['Delft', 'GENT', ' gent', NULL, 'Ulm'])[1 + i % 5], i % 4 <> 0,
       CASE WHEN i % 3 = 0 THEN '+31 ' || i END
FROM generate_series(1, 400) AS i;

INSERT INTO public.logins (email, nickname, seen, visits)
SELECT CASE WHEN i % 41 = 0 THEN 'broken@' WHEN i % 2 = 0 THEN upper('p' || i || '@example.com') ELSE 'only' || i || '@example.com' END,
       'nick ' || i, TIMESTAMPTZ '2024-01-01 00:00:00+00' + i * INTERVAL '1 hour', i % 9
FROM generate_series(1, 250) AS i;
