-- The forward mirror, once per statement. It collects the keys that the statement touched and derives
-- them from the table as it is now (a trigger of the application may have changed the rows again).
-- It never raises: what hinders it (a snapshot that cannot see a newer row, a lock, a value, a column that
-- is gone) leaves the keys in queue, or the whole source where not even the keys can be told.
-- It waits for locks less than deadlock_timeout (1 s), so that of a circle of waits it is the mirror that gives way;
-- and longer than our own DDL does, behind which it may stand in a queue.
-- A writer in SERIALIZABLE is not drawn into conflicts over rows it never asked for: its keys go straight to
-- queue. What the reverse mirror itself is writing back is known already. Other keys that this touches (a trigger of
-- the application, a value that only one may have) wait in queue: the new side's statement may have written them
-- too, and its rows are written back one by one. Derived now, such a row would be what it was before the statement.
CREATE OR REPLACE FUNCTION changeover.:fn:_mirror()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
SET lock_timeout = '700ms'
AS $changeover$
#variable_conflict use_column
DECLARE
    v_keys text[];
    v_known boolean;
    v_state text;
BEGIN
    BEGIN
        IF TG_OP = 'INSERT' THEN
            SELECT array_agg(DISTINCT k.key), :unchanged: INTO v_keys, v_known FROM (:keys_of_new:) k;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(DISTINCT k.key), :unchanged: INTO v_keys, v_known FROM (:keys_of_old:) k;
        ELSE
            SELECT array_agg(DISTINCT k.key), :unchanged: INTO v_keys, v_known
            FROM (:keys_of_new: UNION ALL :keys_of_old:) k;
        END IF;
        IF v_keys IS NOT NULL AND current_setting('changeover.origin', true) = :reverse: THEN
            SELECT array_agg(k.key) INTO v_keys
            FROM unnest(v_keys) AS k (key)
            WHERE k.key <> ALL (current_setting('changeover.putting')::text[]);
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT :id:, 'forward', k.key, 'returned' FROM unnest(v_keys) AS k (key);
            RETURN NULL;
        END IF;
        IF v_keys IS NULL THEN
            RETURN NULL;
        END IF;
        IF current_setting('transaction_isolation') = 'serializable' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT :id:, 'forward', k.key, 'serializable' FROM unnest(v_keys) AS k (key);
            RETURN NULL;
        END IF;
        IF NOT (:fresh:) THEN
            PERFORM changeover.:fn:_apply(v_keys);
        END IF;
        -- A batch may have rejected the row after this transaction's snapshot: the reject cannot be seen from here.
        IF current_setting('transaction_isolation') <> 'read committed'
            AND EXISTS (SELECT FROM changeover.source z WHERE z.id = :id: AND z.state NOT IN ('copied', 'archived'))
        THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT :id:, 'forward', k.key, 'snapshot' FROM unnest(v_keys) AS k (key);
        END IF;
        -- A column that this function does not know: the runner compiles it anew and derives the rows again.
        IF NOT v_known THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT :id:, 'forward', k.key, 'new column' FROM unnest(v_keys) AS k (key);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT :id:, 'forward', k.key, v_state FROM unnest(coalesce(v_keys, ARRAY[NULL])) AS k (key);
    END;
    RETURN NULL;
END
$changeover$
