-- What the first trigger of a table changed in place could not do before the row was stored: the rejects of a row that
-- is not computed (or no longer rejected), and what is left to the queue. It runs for such rows only, and never raises.
CREATE OR REPLACE FUNCTION changeover.:fn:_after()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
SET lock_timeout = '450ms'
AS $changeover$
#variable_conflict use_column
DECLARE
    v_said text := coalesce(current_setting('changeover.said', true), '');
    v_keys text[] := ARRAY(SELECT DISTINCT k.key FROM unnest(ARRAY[:key_of_old:, :key_of_new:]) AS k (key) WHERE k.key IS NOT NULL);
    v_state text;
BEGIN
    :unconcerned:
    :kept:
    IF v_said <> '' THEN
        PERFORM set_config('changeover.said', '', true);
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT (s.one ->> 'source')::integer, w.direction, s.one ->> 'key', s.one -> 'said' ->> w.direction
        FROM (SELECT e.line::jsonb AS one FROM unnest(string_to_array(rtrim(v_said, E'\n'), E'\n')) AS e (line)) s,
             unnest(ARRAY['forward', 'reverse']) AS w (direction)
        WHERE s.one -> 'said' ? w.direction;
        INSERT INTO changeover.diverged AS g (source_id, key, columns)
        SELECT (s.one ->> 'source')::integer, s.one ->> 'key', s.one -> 'said' -> 'diverged'
        FROM (SELECT e.line::jsonb AS one FROM unnest(string_to_array(rtrim(v_said, E'\n'), E'\n')) AS e (line)) s
        WHERE s.one -> 'said' ? 'diverged'
        ON CONFLICT (source_id, key) DO UPDATE SET columns = g.columns || EXCLUDED.columns;
        INSERT INTO changeover.filled (source_id, key, originals)
        SELECT (s.one ->> 'source')::integer, s.one ->> 'key', s.one -> 'said' -> 'filled'
        FROM (SELECT e.line::jsonb AS one FROM unnest(string_to_array(rtrim(v_said, E'\n'), E'\n')) AS e (line)) s
        WHERE s.one -> 'said' ? 'filled';
    END IF;
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            -- A reject that was written after this snapshot cannot be seen from here.
            RAISE serialization_failure;
        END IF;
        PERFORM changeover.:fn:_judge(v_keys);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT :id:, 'forward', k.key, v_state FROM unnest(v_keys) AS k (key);
    END;
    RETURN NULL;
END
$changeover$
