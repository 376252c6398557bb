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
    v_said jsonb;
    v_keys text[] := ARRAY(SELECT DISTINCT k.key FROM unnest(ARRAY[:key_of_old:, :key_of_new:]) AS k (key) WHERE k.key IS NOT NULL);
    v_state text;
BEGIN
    :unconcerned:
    :kept:
    IF TG_OP <> 'DELETE' THEN
        v_said := changeover.heard(:id:, TG_OP, :key_of_new:);
    END IF;
    IF v_said IS NOT NULL THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT :id:, w.direction, :key_of_new:, v_said ->> w.direction
        FROM unnest(ARRAY['forward', 'reverse']) AS w (direction)
        WHERE v_said ? w.direction;
        INSERT INTO changeover.diverged AS g (source_id, key, columns)
        SELECT :id:, :key_of_new:, v_said -> 'diverged' WHERE v_said ? 'diverged'
        ON CONFLICT (source_id, key) DO UPDATE SET columns = g.columns || EXCLUDED.columns;
        INSERT INTO changeover.filled (source_id, key, originals)
        SELECT :id:, :key_of_new:, v_said -> 'filled' WHERE v_said ? 'filled';
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
