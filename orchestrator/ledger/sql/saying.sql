-- What the first trigger of a table changed in place says to the second one, which knows that the row is stored: in one of 64 settings, by
-- the key, a line for each row, "source operation key TAB what is said TAB seal"; `changeover.said` counts the lines. One setting alone
-- would be copied whole for each row of a statement of many. Everybody may write into a setting, and read what stands in it. So a
-- line counts only with a seal, which takes a secret that the owner alone can read, and only in the transaction and for the row that it
-- was made for. A row that was not stored in the end (ON CONFLICT DO NOTHING) is never asked for.
CREATE TABLE IF NOT EXISTS changeover.seal (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    secret text NOT NULL DEFAULT gen_random_uuid()::text || gen_random_uuid()::text
);
INSERT INTO changeover.seal DEFAULT VALUES ON CONFLICT DO NOTHING;

-- For whom a line is. No text of a key can be taken for the end of it.
CREATE OR REPLACE FUNCTION changeover.said_of(p_source integer, p_operation text, p_key text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN E'\n' || p_source || ' ' || p_operation || ' ' || coalesce(to_json(p_key)::text, 'null') || E'\t';

CREATE OR REPLACE FUNCTION changeover.sealed(p_line text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT encode(sha256(convert_to(s.secret || pg_current_xact_id() || p_line || s.secret, 'UTF8')), 'hex') FROM changeover.seal s);

-- Its setting.
CREATE OR REPLACE FUNCTION changeover.said_in(p_key text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN 'changeover.said_' || (hashtext(coalesce(p_key, '')) & 63);

-- How many lines there are. What somebody else has put there is no number of ours.
CREATE OR REPLACE FUNCTION changeover.count_said(p_more integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_said text := substring(current_setting('changeover.said', true) FROM '^[0-9]{1,9}$');
BEGIN
    PERFORM set_config('changeover.said', coalesce(nullif(greatest(coalesce(v_said::integer, 0) + p_more, 0), 0)::text, ''), true);
END
$$;

CREATE OR REPLACE FUNCTION changeover.say(p_source integer, p_operation text, p_key text, p_said jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_in text := changeover.said_in(p_key);
    v_line text := changeover.said_of(p_source, p_operation, p_key) || p_said;
BEGIN
    PERFORM set_config(v_in, coalesce(current_setting(v_in, true), '') || v_line || E'\t' || changeover.sealed(v_line), true);
    PERFORM changeover.count_said(1);
END
$$;

-- What was said last of a row; it is said no more.
CREATE OR REPLACE FUNCTION changeover.heard(p_source integer, p_operation text, p_key text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_in text := changeover.said_in(p_key);
    v_all text := coalesce(current_setting(v_in, true), '');
    v_of text := changeover.said_of(p_source, p_operation, p_key);
    v_heard jsonb;
    v_line text;
    v_at integer;
    v_count integer := 0;
BEGIN
    LOOP
        v_at := strpos(v_all, v_of);
        EXIT WHEN v_at = 0;
        v_line := split_part(substr(v_all, v_at + 1), E'\n', 1);
        v_all := left(v_all, v_at - 1) || substr(v_all, v_at + 1 + length(v_line));
        v_count := v_count + 1;
        IF split_part(v_line, E'\t', 3) = changeover.sealed(E'\n' || split_part(v_line, E'\t', 1) || E'\t' || split_part(v_line, E'\t', 2)) THEN
            v_heard := split_part(v_line, E'\t', 2);
        END IF;
    END LOOP;
    IF v_count > 0 THEN
        PERFORM set_config(v_in, v_all, true);
        PERFORM changeover.count_said(-v_count);
    END IF;
    RETURN v_heard;
END
$$;
