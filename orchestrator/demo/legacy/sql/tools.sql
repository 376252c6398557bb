-- Helpers of the generator, for its session only (pg_temp): they roll the dice that the seed has thrown.
-- hashint8extended is the same on every server and in every version, so one seed gives one database.
-- All are one plain expression, so the planner writes them into the statement that calls them.

-- A number from 0 to sides - 1 that only depends on the row's key and on what it is for (salt).
CREATE FUNCTION pg_temp.dice(key bigint, salt bigint, sides integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((hashint8extended(key, salt) & 9223372036854775807) % sides)::integer
$$;

-- The key of row n of table number `place`.
CREATE FUNCTION pg_temp.row_key(seed bigint, place integer, n bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashint8extended(n, seed * 1000003 + place)
$$;

CREATE FUNCTION pg_temp.uuid_of(seed bigint, place text, n bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT md5(seed::text || ':' || place || ':' || n::text)::uuid
$$;

-- An e-mail in one of the spellings that people and imports give it; the same person every time.
CREATE FUNCTION pg_temp.spelled(email text, roll integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN roll < 78 THEN email
                WHEN roll < 86 THEN initcap(email)
                WHEN roll < 92 THEN upper(email)
                WHEN roll < 96 THEN '  ' || email
                ELSE email || ' ' END
$$;

CREATE FUNCTION pg_temp.malformed(roll integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['nobody', 'agent@express', 'a b@express.example', 'a@b.c|', '@express.example',
                  'agent@express.x', 'agent@@express.example', 'n/a'])[1 + roll % 8]
$$;

-- What dirt a row of an audit table gets (the numbers are explained in audit_rows.sql): the first rows
-- of each table go through all kinds in turn, so that a small database has them all too; the others get
-- one with 6 in 100, and 7 in 100 are about somebody who has left.
CREATE FUNCTION pg_temp.kind(key bigint, place integer, n bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN n <= 75 AND n % 3 = 0 THEN 1 + (n / 3 + place * 7)::integer % 25
                WHEN pg_temp.dice(key, 1, 1000) < 60 THEN 1 + pg_temp.dice(key, 2, 25)
                WHEN pg_temp.dice(key, 1, 1000) < 130 THEN 17
                ELSE 0 END
$$;

-- Values of parameter columns, one function per type.
CREATE FUNCTION pg_temp.value_integer(key bigint, salt integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_temp.dice(key, salt, 12) WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN NULL WHEN 3 THEN 5 ELSE 0 END
$$;
CREATE FUNCTION pg_temp.value_bigint(key bigint, salt integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_temp.dice(key, salt, 5) WHEN 0 THEN 9007199254740993 WHEN 1 THEN NULL WHEN 2 THEN -7 ELSE 0 END
$$;
CREATE FUNCTION pg_temp.value_numeric(key bigint, salt integer) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_temp.dice(key, salt, 9) WHEN 0 THEN NULL WHEN 1 THEN 2.50 WHEN 2 THEN 0.1000 WHEN 3 THEN -1.5
           WHEN 4 THEN 33.333333333333333333 ELSE 0 END
$$;
CREATE FUNCTION pg_temp.value_boolean(key bigint, salt integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_temp.dice(key, salt, 4) WHEN 0 THEN true WHEN 1 THEN NULL ELSE false END
$$;
CREATE FUNCTION pg_temp.value_text(key bigint, salt integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['N/A', 'Yes', 'No', '', NULL, '5', 'n/a', '3.0', ' 1 ', E'tab\there', 'null'])[1 + pg_temp.dice(key, salt, 11)]
$$;
CREATE FUNCTION pg_temp.value_jsonb(key bigint, salt integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_temp.dice(key, salt, 7) WHEN 0 THEN 'null'::jsonb WHEN 1 THEN NULL
           WHEN 2 THEN '{"score": 3, "notes": ["late", null], "by": {"ai": true}}'::jsonb
           WHEN 3 THEN '"N/A"'::jsonb WHEN 4 THEN '4.50'::jsonb WHEN 5 THEN '[]'::jsonb ELSE '{}'::jsonb END
$$;
CREATE FUNCTION pg_temp.value_texts(key bigint, salt integer) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_temp.dice(key, salt, 5) WHEN 0 THEN NULL WHEN 1 THEN ARRAY[]::text[]
           WHEN 2 THEN ARRAY['greeting', NULL, 'a,b', '"quoted"'] WHEN 3 THEN ARRAY['NULL', ''] ELSE ARRAY['tone'] END
$$;
CREATE FUNCTION pg_temp.value_date(key bigint, salt integer) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pg_temp.dice(key, salt, 3) > 0 THEN date '2024-02-29' - pg_temp.dice(key, salt + 1, 400) END
$$;
CREATE FUNCTION pg_temp.value_timestamptz(key bigint, salt integer) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pg_temp.dice(key, salt, 3) > 0
                THEN timestamptz '2024-01-01 00:00:00.123456+00' + pg_temp.dice(key, salt + 1, 1000000) * interval '1 minute' END
$$;
-- What a person has written: mostly nothing.
CREATE FUNCTION pg_temp.value_remark(key bigint, salt integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['Did not greet the client.', 'Bitte öfter nachfragen – "danke" fehlt', '', E'Line one\nline two',
                  'C:\templates\new', '👍 well done', 'N/A'])[1 + pg_temp.dice(key, salt, 25)]
$$;
