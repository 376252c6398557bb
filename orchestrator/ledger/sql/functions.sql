-- What plans may call in their expressions. All of them give NULL (the tests: false) for what they cannot
-- read and never an error, because a mirror calls them inside the application's transaction.
--
-- How they are fast: bodies are of the SQL-standard kind (RETURN ..., PostgreSQL 14), which are bound to
-- pg_catalog when they are created (install pins the path), need no SET clause, and are therefore inlined
-- into the batch's statement. A regular expression decides first what a cast would surely accept; only what is
-- left and looks possible goes to a `slow_` function, which pays for an exception block.
--
-- Why the expressions are written out: [0-9] and not \d, blanks listed and not \s, COLLATE "C": the classes
-- depend on the locale, and the casts accept ASCII only. [ \t\n\v\f\r] is what the casts trim.

-- Names and e-mails are compared folded (A5).
CREATE OR REPLACE FUNCTION changeover.fold(t text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(lower(btrim(t)), '');

-- Folds by itself, so it can be asked about a raw address; never NULL, so `NOT valid_email(x)` is a reject rule.
CREATE OR REPLACE FUNCTION changeover.valid_email(t text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(lower(btrim(t)) COLLATE "C" ~ '^[a-z0-9._%+''-]+@[a-z0-9.-]+\.[a-z]{2,}$', false);

CREATE OR REPLACE FUNCTION changeover.is_uuid(t text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(t COLLATE "C" ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$', false);

-- The same id for the same namespace and key, in every database. The length before the namespace keeps
-- ('ab','c') and ('a','bc') apart. Version 3 (name-based, md5) and variant are set, because applications check them.
CREATE OR REPLACE FUNCTION changeover.uuid_of(namespace text, key text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN overlay(overlay(
    md5(octet_length(namespace)::text || ':' || namespace || ':' || key)
    placing '3' from 13 for 1) placing '8' from 17 for 1)::uuid;

-- Integers: up to 9 (18) significant digits always fit; one more needs a look; more never fit.
CREATE OR REPLACE FUNCTION changeover.try_integer(t text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?0*[0-9]{1,9}[ \t\n\v\f\r]*$' THEN t::integer
    WHEN t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?0*[0-9]{10}[ \t\n\v\f\r]*$'
        THEN CASE WHEN t::bigint BETWEEN -2147483648 AND 2147483647 THEN t::integer END
END;

CREATE OR REPLACE FUNCTION changeover.try_bigint(t text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?0*[0-9]{1,18}[ \t\n\v\f\r]*$' THEN t::bigint
    WHEN t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?0*[0-9]{19}[ \t\n\v\f\r]*$'
        THEN CASE WHEN t::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 THEN t::bigint END
END;

-- Decimal notation only: what newer servers read as well (0x1F, 1_000) is NULL on every server.
CREATE OR REPLACE FUNCTION changeover.slow_numeric(t text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN t::numeric;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION changeover.try_numeric(t text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN octet_length(t) <= 300
     AND t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?[ \t\n\v\f\r]*$'
        THEN t::numeric
    WHEN t COLLATE "C" ~* '^[ \t\n\v\f\r]*[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|nan|inf|infinity)[ \t\n\v\f\r]*$'
        THEN changeover.slow_numeric(t)
END;

CREATE OR REPLACE FUNCTION changeover.try_boolean(t text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~* '^[ \t\n\v\f\r]*(t|tr|tru|true|y|ye|yes|on|1)[ \t\n\v\f\r]*$' THEN true
    WHEN t COLLATE "C" ~* '^[ \t\n\v\f\r]*(f|fa|fal|fals|false|n|no|of|off|0)[ \t\n\v\f\r]*$' THEN false
END;

-- All spellings that the type itself reads: capitals, braces, hyphens after any group of four.
CREATE OR REPLACE FUNCTION changeover.try_uuid(t text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~ '^(([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}|\{([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\})$' THEN t::uuid
END;

CREATE OR REPLACE FUNCTION changeover.slow_jsonb(t text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN t::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION changeover.try_jsonb(t text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN octet_length(t) <= 300
     AND t COLLATE "C" ~ '^[ \t\n\r]*(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?|"[^"\\\x01-\x1f]*")[ \t\n\r]*$'
        THEN t::jsonb
    -- Anything else that is JSON begins with one of these.
    WHEN t COLLATE "C" ~ '^[ \t\n\r]*[\[{"0-9-]' THEN changeover.slow_jsonb(t)
END;

-- Dates and times. ISO 8601 is read at once. Everything else is read as ISO, MDY in UTC, whatever the session has
-- set; words whose meaning changes from day to day (now, today, ...) are NULL, or a row would map to something else at
-- every look. With the settings pinned and those words out, the results depend on the text alone: IMMUTABLE.
CREATE OR REPLACE FUNCTION changeover.slow_date(t text) RETURNS date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $$
BEGIN
    RETURN t::date;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION changeover.slow_timestamp(t text) RETURNS timestamp
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $$
BEGIN
    RETURN t::timestamp;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION changeover.slow_timestamptz(t text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $$
BEGIN
    RETURN t::timestamptz;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

-- Could `t` be a date at all, and is it one that stays the same tomorrow?
CREATE OR REPLACE FUNCTION changeover.maybe_date(t text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN octet_length(t) <= 128
   AND t COLLATE "C" ~* '[0-9]|infinity|epoch'
   AND t COLLATE "C" !~* 'now|today|tomorrow|yesterday';

-- The 29th of February goes the slow way: it alone needs the calendar.
CREATE OR REPLACE FUNCTION changeover.try_date(t text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~ '^(?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))$'
        THEN make_date(substr(t, 1, 4)::integer, substr(t, 6, 2)::integer, substr(t, 9, 2)::integer)
    WHEN changeover.maybe_date(t) THEN changeover.slow_date(t)
END;

CREATE OR REPLACE FUNCTION changeover.try_timestamp(t text) RETURNS timestamp
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~ '^(?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))[ T]([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,6})?$'
        THEN make_timestamp(
            substr(t, 1, 4)::integer, substr(t, 6, 2)::integer, substr(t, 9, 2)::integer,
            substr(t, 12, 2)::integer, substr(t, 15, 2)::integer, substr(t, 18)::double precision)
    WHEN changeover.maybe_date(t) THEN changeover.slow_timestamp(t)
END;

CREATE OR REPLACE FUNCTION changeover.try_timestamptz(t text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~ '^(?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))[ T]([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,6})?(Z|[+]00(:?00)?)?$'
        THEN make_timestamp(
            substr(t, 1, 4)::integer, substr(t, 6, 2)::integer, substr(t, 9, 2)::integer,
            substr(t, 12, 2)::integer, substr(t, 15, 2)::integer,
            substring(t from '^.{17}([0-9.]+)')::double precision) AT TIME ZONE 'UTC'
    WHEN changeover.maybe_date(t) THEN changeover.slow_timestamptz(t)
END;

-- Durations as people typed them: HH:MM:SS, MM:SS or a number of seconds, with an optional sign before all of
-- it. Minutes and seconds after a colon are below 60. Hours of up to 5 digits cannot overflow; longer ones are
-- computed in numeric and looked at.
CREATE OR REPLACE FUNCTION changeover.slow_seconds(t text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    total numeric := 0;
    part text;
BEGIN
    FOREACH part IN ARRAY string_to_array(ltrim(btrim(t, E' \t\n\x0b\f\r'), '+-'), ':') LOOP
        total := total * 60 + part::numeric;
    END LOOP;
    IF t ~ '-' THEN
        total := -total;
    END IF;
    RETURN CASE WHEN total BETWEEN -2147483648 AND 2147483647 THEN total END;
END
$$;

CREATE OR REPLACE FUNCTION changeover.seconds(t text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?[0-9]{1,5}:[0-5]?[0-9]:[0-5]?[0-9][ \t\n\v\f\r]*$'
        THEN CASE WHEN t COLLATE "C" ~ '-' THEN -1 ELSE 1 END
           * (ltrim(split_part(t, ':', 1), E' \t\n\x0b\f\r+-')::integer * 3600
              + split_part(t, ':', 2)::integer * 60 + split_part(t, ':', 3)::integer)
    WHEN t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?[0-9]{1,5}:[0-5]?[0-9][ \t\n\v\f\r]*$'
        THEN CASE WHEN t COLLATE "C" ~ '-' THEN -1 ELSE 1 END
           * (ltrim(split_part(t, ':', 1), E' \t\n\x0b\f\r+-')::integer * 60 + split_part(t, ':', 2)::integer)
    WHEN t COLLATE "C" ~ '^[ \t\n\v\f\r]*[+-]?0*[0-9]{1,10}:[0-5]?[0-9](:[0-5]?[0-9])?[ \t\n\v\f\r]*$'
        THEN changeover.slow_seconds(t)
    ELSE changeover.try_integer(t)
END;

-- The name of a SQLSTATE as PL/pgSQL knows it: the reason of a reject that an error has made. A state that is
-- not listed is its own name.
CREATE OR REPLACE FUNCTION changeover.condition_name(state text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE state
    WHEN '0A000' THEN 'feature_not_supported'
    WHEN '22001' THEN 'string_data_right_truncation'
    WHEN '22003' THEN 'numeric_value_out_of_range'
    WHEN '22007' THEN 'invalid_datetime_format'
    WHEN '22008' THEN 'datetime_field_overflow'
    WHEN '22P02' THEN 'invalid_text_representation'
    WHEN '22012' THEN 'division_by_zero'
    WHEN '22021' THEN 'character_not_in_repertoire'
    WHEN '22P05' THEN 'untranslatable_character'
    WHEN '23502' THEN 'not_null_violation'
    WHEN '23503' THEN 'foreign_key_violation'
    WHEN '23505' THEN 'unique_violation'
    WHEN '23514' THEN 'check_violation'
    WHEN '23P01' THEN 'exclusion_violation'
    WHEN '54000' THEN 'program_limit_exceeded'
    ELSE state
END;

-- Would a cast succeed? For the types that have no try_ function of their own: arrays, domains, ranges, times, ...
CREATE OR REPLACE FUNCTION changeover.castable(t text, type regtype) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $$
BEGIN
    EXECUTE format('SELECT $1::%s', type) USING t;
    RETURN true;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR feature_not_supported THEN
    RETURN false;
END
$$;
