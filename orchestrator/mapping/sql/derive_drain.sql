-- Drain what waits for a derive. With the exclusive lock no batch of this source is under way.
-- A note of a lookup that has changed is worked off twice: now, and once all transactions that were running at the first
-- look have ended, since one of them may have read the lookup as it was before.
CREATE OR REPLACE FUNCTION changeover.:fn:_drain(max_keys integer)
RETURNS TABLE (drained bigint, remaining bigint)
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_row record;
    v_ids bigint[];
    v_keys text[];
    v_key text;
    v_drained bigint := 0;
    v_state text;
    v_message text;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM set_config('changeover.draining', ':id:', true);
    PERFORM pg_catalog.pg_advisory_xact_lock(:lock:);

    :judge:

    FOR v_row IN
        SELECT c.id, c.cause, c.patch FROM changeover.queue c
        WHERE c.source_id = :id: AND c.id > 0 AND c.key IS NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
        ORDER BY c.id
    LOOP
        -- These read whole tables, and shall: along an index it would take many times as long.
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
        v_keys := NULL;
        :dependents:
        IF v_keys IS NULL THEN
            v_keys := ARRAY(SELECT k.key FROM (:keys_of_rows:) k
                            UNION SELECT m.key FROM changeover.key_map m WHERE m.source_id = :id:
                            UNION SELECT r.key FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0);
        END IF;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT :id:, 'forward', k.key, v_row.cause FROM unnest(v_keys) AS k (key);
        IF v_row.cause <> 'lookup' OR v_row.patch ? 'until'
            AND pg_snapshot_xmin(pg_current_snapshot())::text::numeric >= (v_row.patch ->> 'until')::numeric
        THEN
            DELETE FROM changeover.queue c WHERE c.id = v_row.id;
            v_drained := v_drained + 1;
        ELSE
            UPDATE changeover.queue c
            SET not_before = clock_timestamp() + interval '200 ms',
                patch = jsonb_build_object('until', pg_snapshot_xmax(pg_current_snapshot())::text) || coalesce(c.patch, '{}')
            WHERE c.id = v_row.id;
        END IF;
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
    END LOOP;

    SELECT array_agg(c.id), array_agg(DISTINCT c.key) INTO v_ids, v_keys
    FROM (
        SELECT c.id, c.key FROM changeover.queue c
        WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'forward' AND c.key IS NOT NULL
          AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
        ORDER BY c.id LIMIT max_keys
    ) c;
    IF v_ids IS NOT NULL THEN
        BEGIN
            PERFORM changeover.:fn:_sync(v_keys);
            DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids);
            v_drained := v_drained + cardinality(v_ids);
        EXCEPTION WHEN OTHERS THEN
            -- One of them fails: one by one, so that only that one is left or rejected.
            FOREACH v_key IN ARRAY v_keys LOOP
                BEGIN
                    PERFORM changeover.one(:id:, v_key);
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
    END IF;

    PERFORM set_config('changeover.origin', v_origin, true);
    PERFORM set_config('changeover.draining', '', true);
    RETURN QUERY SELECT v_drained, (SELECT count(*) FROM (SELECT FROM changeover.queue c WHERE c.source_id = :id: AND c.id > 0 LIMIT 1000) r);
END
$changeover$
