-- Settle queue (docs/concurrency.md, C8, C10). With the exclusive lock no batch of this source is under way: what one could bring back, it has. What
-- is written here may set off the mirror of another mapping, whose batch may well be: hence the setting names the source.
-- What the new side has written and could not write back comes first: it was hindered by writers of the old
-- side, and a derivation from the old row would undo it.
-- What it costs must not grow with the number of keys that wait, or those of a whole table would never be drained: it takes
-- some of them in their order, along an index, whatever the planner believes of how many there are.
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
    v_ids bigint[];
    v_keys text[];
    v_key text;
    v_drained bigint := 0;
    v_state text;
    v_message text;
    v_row record;
    v_settled boolean := false;
    v_moving boolean := false;
    v_waiting text[];
    v_rejected text[] := '{}';
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM set_config('changeover.draining', ':id:', true);
    PERFORM pg_catalog.pg_advisory_xact_lock(:lock:);

    :judge:

    -- The whole source: key by key. After a TRUNCATE that is what stands in the target and not in the source;
    -- if the mirror could not tell which keys it was, it is every key.
    SELECT array_agg(c.id) INTO v_ids
    FROM changeover.queue c
    WHERE c.source_id = :id: AND c.id > 0 AND c.key IS NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp());
    IF v_ids IS NOT NULL THEN
        -- These read whole tables, and shall: along an index it would take many times as long.
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
        IF EXISTS (SELECT FROM changeover.queue c WHERE c.id = ANY (v_ids) AND c.direction = 'forward') THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT :id:, 'forward', k.key, 'whole' FROM (:left_over:) k;
        END IF;
        IF EXISTS (SELECT FROM changeover.queue c
                   WHERE c.id = ANY (v_ids) AND c.direction = 'forward' AND c.cause <> 'truncate') THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT DISTINCT :id:, 'forward', k.key, 'whole' FROM (:keys_of_rows:) k;
        END IF;
        IF EXISTS (SELECT FROM changeover.queue c
                   WHERE c.id = ANY (v_ids) AND c.direction = 'reverse' AND c.cause = 'emptied') THEN
            -- What waited when it was emptied speaks of rows that are gone; of old rows that are gone as well it may be
            -- the last word.
            DELETE FROM changeover.queue c
            WHERE c.source_id = :id: AND c.id > 0 AND c.key IS NOT NULL
              AND (c.direction = 'reverse' OR c.key <> '' AND c.key IN (SELECT k.key FROM (:keys_of_rows:) k))
              AND c.id < (SELECT max(e.id) FROM changeover.queue e WHERE e.id = ANY (v_ids) AND e.cause = 'emptied');
            -- What is rejected stood for nothing there before; it may be free to come now.
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT :id:, CASE WHEN k.rows > coalesce(r.rejects, 0) THEN 'reverse' ELSE 'forward' END, k.key, 'emptied'
            FROM (SELECT k.key, count(*) AS rows FROM (:keys_of_rows:) k WHERE k.key <> '' GROUP BY k.key) k
            LEFT JOIN (SELECT r.key, count(*) AS rejects FROM changeover.reject r
                       WHERE r.source_id = :id: AND r.id > 0 GROUP BY r.key) r ON r.key = k.key;
        END IF;
        FOR v_row IN SELECT c.patch FROM changeover.queue c WHERE c.id = ANY (v_ids) AND c.patch ? 'spread' ORDER BY c.id LOOP
            EXECUTE format('SELECT changeover.%I($1, $2)', v_row.patch ->> 'spread') USING :id:, v_row.patch;
        END LOOP;
        DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids);
        v_drained := v_drained + cardinality(v_ids);
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
    END IF;

    v_drained := v_drained + changeover.:fn:_drain_reverse(max_keys, true);

    SELECT array_agg(c.id ORDER BY c.id), array_agg(DISTINCT c.key) INTO v_ids, v_keys
    FROM (
        SELECT c.id, c.key FROM changeover.queue c
        WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'forward' AND c.key IS NOT NULL
          AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
        ORDER BY c.id LIMIT max_keys
    ) c;
    IF v_ids IS NOT NULL THEN
        BEGIN
            PERFORM changeover.:fn:_sync(v_keys);
            v_settled := true;
        EXCEPTION
            WHEN unique_violation OR exclusion_violation THEN
                v_moving := true;
            WHEN OTHERS THEN
                NULL;
        END;
        IF v_moving THEN
            -- Values that only one row may have move among rows: those of all that wait behind are put out of the way (C11). They
            -- get theirs when it is their turn.
            v_waiting := ARRAY(
                SELECT DISTINCT c.key FROM (
                    SELECT c.key FROM changeover.queue c
                    WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'forward' AND c.key IS NOT NULL
                      AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
                    ORDER BY c.id LIMIT 5 * max_keys
                ) c);
            BEGIN
                PERFORM changeover.park(:park:, v_waiting);
                PERFORM changeover.:fn:_sync(v_keys);
                v_settled := true;
            EXCEPTION WHEN OTHERS THEN
                NULL;
            END;
        END IF;
        IF v_settled THEN
            DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids);
            v_drained := v_drained + cardinality(v_ids);
        ELSE
            -- One of them fails: one by one, so that only that one is left or rejected.
            FOREACH v_key IN ARRAY v_keys LOOP
                BEGIN
                    IF changeover.one(:id:, v_key) > 0 AND v_moving THEN
                        v_rejected := v_rejected || v_key;
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
            -- What another row's value was in the way of may have its place by now, or get it from those that wait behind.
            FOREACH v_key IN ARRAY v_rejected LOOP
                BEGIN
                    IF changeover.one(:id:, v_key) > 0 THEN
                        INSERT INTO changeover.queue (source_id, direction, key, cause)
                        SELECT :id:, 'forward', v_key, 'moving'
                        WHERE EXISTS (SELECT FROM changeover.queue c WHERE c.source_id = :id: AND c.id > v_ids[cardinality(v_ids)]
                                      AND c.direction = 'forward' AND c.key IS NOT NULL AND c.cause <> 'moving');
                    END IF;
                EXCEPTION WHEN OTHERS THEN
                    RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;  -- it is a reject already
                END;
            END LOOP;
        END IF;
        -- What is split from the same rows needs their parents, which may only be there now.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT z.id, 'forward', k.key, 'parent'
        FROM changeover.source z, changeover.mapping m, unnest(v_keys) AS k (key)
        WHERE z.oid = :source_oid: AND z.id > :id: AND z.state <> 'found' AND m.id = z.mapping_id AND m.kind = 'split';
    END IF;

    v_drained := v_drained + changeover.:fn:_drain_reverse(max_keys, false);

    PERFORM set_config('changeover.origin', v_origin, true);
    PERFORM set_config('changeover.draining', '', true);
    RETURN QUERY SELECT v_drained, least(1000, (
        SELECT count(*) FROM (
            (SELECT FROM changeover.queue c WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'forward' LIMIT 1000)
            UNION ALL
            (SELECT FROM changeover.queue c
             WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'reverse' AND c.patch IS NOT NULL LIMIT 1000)
            UNION ALL
            (SELECT FROM changeover.queue c
             WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'reverse' AND c.patch IS NULL LIMIT 1000)) r));
END
$changeover$
