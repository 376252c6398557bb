-- Settle the queue of a table that is changed in place. With the exclusive lock no batch of it is under way. What the new
-- side has written and could not tell the old columns comes first: computed from them, it would be undone.
CREATE OR REPLACE FUNCTION changeover.:fn:_drain(max_keys integer)
RETURNS TABLE (drained bigint, remaining bigint)
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_ids bigint[];
    v_keys text[];
    v_key text;
    v_verb text;
    v_drained bigint := 0;
    v_state text;
    v_message text;
    v_patch jsonb;
    v_id bigint;
    v_alone boolean;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(:lock:);
    -- Rows that hang on a changed row of a lookup.
    FOR v_id, v_patch IN
        SELECT c.id, c.patch FROM changeover.queue c
        WHERE c.source_id = :id: AND c.id > 0 AND c.key IS NULL AND c.cause = 'lookup'
          AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
    LOOP
        IF NOT v_patch ? 'seen' THEN
            v_patch := v_patch || jsonb_build_object('seen', pg_snapshot_xmax(pg_current_snapshot())::text);
        ELSIF pg_snapshot_xmin(pg_current_snapshot()) >= (v_patch ->> 'seen')::xid8 THEN
            DELETE FROM changeover.queue c WHERE c.id = v_id;
            v_drained := v_drained + 1;
        END IF;
        UPDATE changeover.queue c SET patch = v_patch, not_before = clock_timestamp() + interval '100 ms' WHERE c.id = v_id;
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
        :dependents:
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
    END LOOP;
    -- Rows that follow a lookup: all notes in one look, and in a second one for who has read the lookup as it was before;
    -- where no transaction is under way there is none.
    v_alone := NOT EXISTS (SELECT FROM pg_snapshot_xip(pg_current_snapshot()));
    v_ids := ARRAY(SELECT c.id FROM changeover.queue c WHERE c.source_id = :id: AND c.id > 0 AND c.key IS NULL
                   AND c.cause = 'follow' AND (c.not_before IS NULL OR c.not_before <= clock_timestamp()));
    IF v_ids <> '{}' THEN
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
        :followers:
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
        DELETE FROM changeover.queue c
        WHERE c.id = ANY (v_ids)
          AND (v_alone OR c.patch ? 'seen' AND pg_snapshot_xmin(pg_current_snapshot()) >= (c.patch ->> 'seen')::xid8);
        GET DIAGNOSTICS v_id = ROW_COUNT;
        v_drained := v_drained + v_id;
        UPDATE changeover.queue c
        SET not_before = clock_timestamp() + interval '100 ms',
            patch = jsonb_build_object('seen', pg_snapshot_xmax(pg_current_snapshot())::text) || c.patch
        WHERE c.id = ANY (v_ids);
    END IF;
    -- The whole table, key by key.
    v_ids := ARRAY(SELECT c.id FROM changeover.queue c WHERE c.source_id = :id: AND c.id > 0 AND c.key IS NULL
                   AND c.cause NOT IN ('lookup', 'follow') AND (c.not_before IS NULL OR c.not_before <= clock_timestamp()));
    IF v_ids <> '{}' THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT :id:, 'forward', k.key, 'whole'
        FROM (SELECT :key: AS key FROM :table: x
              UNION SELECT r.key FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0) k;
        DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids);
        v_drained := v_drained + cardinality(v_ids);
    END IF;
    FOREACH v_verb IN ARRAY ARRAY['reverse', 'forward'] LOOP
        SELECT array_agg(c.id), array_agg(DISTINCT c.key) INTO v_ids, v_keys
        FROM (
            SELECT c.id, c.key FROM changeover.queue c
            WHERE c.source_id = :id: AND c.id > 0 AND c.direction = v_verb AND c.key IS NOT NULL
              AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
            ORDER BY c.id LIMIT max_keys
        ) c;
        CONTINUE WHEN v_ids IS NULL;
        BEGIN
            IF v_verb = 'reverse' THEN
                PERFORM changeover.:fn:_sync_reverse(v_keys);
            ELSE
                PERFORM changeover.:fn:_sync(v_keys);
            END IF;
            DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids);
            v_drained := v_drained + cardinality(v_ids);
        EXCEPTION WHEN OTHERS THEN
            -- One of them fails: one by one, so that only that one is left or rejected.
            FOREACH v_key IN ARRAY v_keys LOOP
                BEGIN
                    IF v_verb = 'reverse' THEN
                        PERFORM changeover.:fn:_sync_reverse(ARRAY[v_key]);
                    ELSE
                        PERFORM changeover.one(:id:, v_key);
                    END IF;
                    DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids) AND c.key = v_key;
                    v_drained := v_drained + 1;
                EXCEPTION WHEN OTHERS THEN
                    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
                    UPDATE changeover.queue c
                    SET attempts = c.attempts + 1, last_error = v_state || ' ' || v_message,
                        not_before = clock_timestamp() + least(c.attempts, 20) * interval '100 ms'
                    WHERE c.id = ANY (v_ids) AND c.key = v_key;
                END;
            END LOOP;
        END;
    END LOOP;
    RETURN QUERY SELECT v_drained, (SELECT count(*) FROM (SELECT FROM changeover.queue c WHERE c.source_id = :id: AND c.id > 0 LIMIT 1000) r);
END
$changeover$
