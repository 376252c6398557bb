-- New to old, one by one and in their order. Of several writes of one key the first must be drained before the next is looked
-- at; a change of the key has two. What comes behind one that fails, or is not due, waits. With p_patched, those that tell what
-- was written; else those that only say: look at it. What is drained is taken out first: then nothing that settling it sets off
-- finds it waiting, and if a newer write has changed it meanwhile, it is read again on the next round.
-- Each call reads some of what waits, along an index, and for each the few that have its key: what a key costs does not grow
-- with the number of keys. Values that only one row may have may move among rows: those that such a value was in the way of are
-- tried again together, with all these values out of the way first (docs/concurrency.md, C10, C11).
CREATE OR REPLACE FUNCTION changeover.:fn:_drain_reverse(max_keys integer, p_patched boolean)
RETURNS bigint
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_row record;
    v_tried bigint := 0;
    v_drained bigint := 0;
    v_moving bigint[] := '{}';
    v_patches jsonb[] := '{}';
    v_patch jsonb;
    v_state text;
    v_message text;
BEGIN
    FOR v_row IN
        (SELECT c.id, c.key, c.patch
         FROM changeover.queue c
         WHERE p_patched AND c.source_id = :id: AND c.id > 0 AND c.direction = 'reverse' AND c.key IS NOT NULL
           AND c.patch IS NOT NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
         ORDER BY c.id LIMIT 10 * max_keys)
        UNION ALL
        (SELECT c.id, c.key, c.patch
         FROM changeover.queue c
         WHERE NOT p_patched AND c.source_id = :id: AND c.id > 0 AND c.direction = 'reverse' AND c.key IS NOT NULL
           AND c.patch IS NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
         ORDER BY c.id LIMIT 10 * max_keys)
    LOOP
        EXIT WHEN v_tried >= max_keys;
        CONTINUE WHEN EXISTS (SELECT FROM changeover.queue c
                              WHERE c.key = v_row.key AND c.source_id = :id: AND c.direction = 'reverse' AND c.id < v_row.id)
            OR EXISTS (SELECT FROM changeover.queue c WHERE c.key = v_row.patch ->> 'key' AND c.source_id = :id:
                       AND c.direction = 'reverse' AND c.id < v_row.id)
            OR EXISTS (SELECT FROM changeover.queue c WHERE c.patch ->> 'key' = v_row.key AND c.source_id = :id:
                       AND c.direction = 'reverse' AND c.id < v_row.id)
            OR EXISTS (SELECT FROM changeover.queue c WHERE c.patch ->> 'key' = v_row.patch ->> 'key' AND c.source_id = :id:
                       AND c.direction = 'reverse' AND c.id < v_row.id);
        v_tried := v_tried + 1;
        BEGIN
            DELETE FROM changeover.queue c WHERE c.id = v_row.id AND c.patch IS NOT DISTINCT FROM v_row.patch;
            IF FOUND THEN
                PERFORM changeover.:fn:_return(v_row.key, v_row.patch);
                v_drained := v_drained + 1;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
            UPDATE changeover.queue c
            SET attempts = c.attempts + 1, last_error = v_state || ' ' || v_message,
                not_before = clock_timestamp() + least(c.attempts, 20) * interval '100 ms'
            WHERE c.id = v_row.id;
            IF v_state IN ('23505', '23P01') AND v_row.patch ? 'set' THEN
                v_moving := v_moving || v_row.id;
            END IF;
        END;
    END LOOP;

    IF cardinality(v_moving) > 1 THEN
        BEGIN
            FOR v_row IN SELECT c.id, c.key, c.patch FROM changeover.queue c WHERE c.id = ANY (v_moving) ORDER BY c.id LOOP
                PERFORM set_config('changeover.origin', :reverse:, true);
                PERFORM set_config('changeover.putting', ARRAY[v_row.key]::text, true);
                v_patches := v_patches || changeover.park_patch(:source_oid:, :which:, v_row.key, v_row.patch, v_row.id);
                PERFORM set_config('changeover.origin', v_origin, true);
            END LOOP;
            FOR v_row IN SELECT c.id, c.key, row_number() OVER (ORDER BY c.id) AS nth
                         FROM changeover.queue c WHERE c.id = ANY (v_moving) ORDER BY c.id LOOP
                v_patch := v_patches[v_row.nth];
                DELETE FROM changeover.queue c WHERE c.id = v_row.id;
                PERFORM changeover.:fn:_return(v_row.key, v_patch);
            END LOOP;
            v_drained := v_drained + cardinality(v_moving);
        EXCEPTION WHEN OTHERS THEN
            RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;  -- each has been told already, and waits
        END;
    END IF;
    RETURN v_drained;
END
$changeover$
