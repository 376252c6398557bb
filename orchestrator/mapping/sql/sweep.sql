-- Settle rechecks. With the exclusive lock no batch is under way: what a batch could bring back, it has.
-- The source rows are locked before they are read, which puts the sweeper in the place of a writer of
-- the row: the mirror of a concurrent write comes before or after it, never in between.
CREATE OR REPLACE FUNCTION changeover.:fn:_sweep(max_keys integer)
RETURNS TABLE (settled bigint, remaining bigint)
LANGUAGE plpgsql
:pins:
SET jit = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_ids bigint[];
    v_keys text[];
    v_key text;
    v_settled bigint := 0;
    v_state text;
    v_message text;
    v_row record;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM set_config('changeover.sweeping', 'on', true);
    PERFORM pg_catalog.pg_advisory_xact_lock(:lock:);

    -- The whole source (a TRUNCATE): nothing may stand in the target that is not in the source.
    SELECT array_agg(c.id) INTO v_ids
    FROM changeover.recheck c WHERE c.source_id = :id: AND c.direction = 'forward' AND c.key IS NULL;
    IF v_ids IS NOT NULL THEN
        :sweep_all:
        DELETE FROM changeover.recheck c WHERE c.id = ANY (v_ids);
        v_settled := v_settled + cardinality(v_ids);
    END IF;

    -- Old to new.
    SELECT array_agg(c.id), array_agg(DISTINCT c.key) INTO v_ids, v_keys
    FROM (
        SELECT c.id, c.key FROM changeover.recheck c
        WHERE c.source_id = :id: AND c.direction = 'forward' AND c.key IS NOT NULL
          AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
        ORDER BY c.id LIMIT max_keys
    ) c;
    IF v_ids IS NOT NULL THEN
        BEGIN
            :lock_rows:
            PERFORM changeover.:fn:_sync(v_keys);
            DELETE FROM changeover.recheck c WHERE c.id = ANY (v_ids);
            -- What is split from the same rows needs their parents, which may only be there now.
            INSERT INTO changeover.recheck (source_id, direction, key, cause)
            SELECT z.id, 'forward', k.key, 'parent'
            FROM changeover.source z, changeover.mapping m, unnest(v_keys) AS k (key)
            WHERE z.oid = :source_oid: AND z.id > :id: AND z.state <> 'found' AND m.id = z.mapping_id AND m.kind = 'split';
            v_settled := v_settled + cardinality(v_ids);
        EXCEPTION WHEN OTHERS THEN
            -- One of them fails: one by one, so that only that one is left or rejected.
            FOREACH v_key IN ARRAY v_keys LOOP
                BEGIN
                    PERFORM changeover.:fn:_one(v_key);
                    DELETE FROM changeover.recheck c WHERE c.id = ANY (v_ids) AND c.key = v_key;
                    v_settled := v_settled + 1;
                EXCEPTION WHEN OTHERS THEN
                    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
                    UPDATE changeover.recheck c
                    SET attempts = c.attempts + 1, last_error = v_state || ' ' || v_message,
                        not_before = clock_timestamp() + least(c.attempts, 20) * interval '100 ms'
                    WHERE c.id = ANY (v_ids) AND c.key = v_key;
                END;
            END LOOP;
        END;
    END IF;

    -- New to old, one by one: these are few.
    FOR v_row IN
        SELECT c.id, c.key, c.cause FROM changeover.recheck c
        WHERE c.source_id = :id: AND c.direction = 'reverse'
          AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
        ORDER BY c.id LIMIT max_keys
    LOOP
        BEGIN
            PERFORM changeover.:fn:_return(v_row.key);
            DELETE FROM changeover.recheck c WHERE c.id = v_row.id;
            v_settled := v_settled + 1;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
            UPDATE changeover.recheck c
            SET attempts = c.attempts + 1, last_error = v_state || ' ' || v_message,
                not_before = clock_timestamp() + least(c.attempts, 20) * interval '100 ms'
            WHERE c.id = v_row.id;
        END;
    END LOOP;

    PERFORM set_config('changeover.origin', v_origin, true);
    PERFORM set_config('changeover.sweeping', '', true);
    RETURN QUERY SELECT v_settled, (SELECT count(*) FROM changeover.recheck c WHERE c.source_id = :id:);
END
$changeover$
