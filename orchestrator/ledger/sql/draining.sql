-- Draining what waits in the queue for a source (docs/concurrency.md, C8, C10, C11), whatever kind its mapping is. What depends on the
-- mapping is asked of fragments.sql and writing_back.sql, and of
--   mN_sync_reverse(keys)     what the new side wrote goes to the old columns, of a table that is changed in place
--   mN_dependents(note)       keys of rows that hang on changed rows of a lookup
-- What a drain costs must not grow with the number of keys that wait, or those of a whole table would never be drained: it takes some
-- of them in their order, along an index, whatever the planner believes of how many there are.

-- An attempt at these entries that failed: each time they wait longer.
CREATE OR REPLACE FUNCTION changeover.tried(p_ids bigint[], p_state text, p_message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE changeover.queue c
    SET attempts = c.attempts + 1, last_error = p_state || ' ' || p_message,
        not_before = clock_timestamp() + least(c.attempts, 20) * interval '100 ms'
    WHERE c.id = ANY (p_ids);
END
$$;

-- Keys of one direction, in their order, all in one go; if one of them fails, one by one, so that only that one is left or rejected.
CREATE OR REPLACE FUNCTION changeover.drain_keys(p_source integer, p_direction text, max_keys integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_forward boolean := p_direction = 'forward';
    v_sync text := format(CASE WHEN v_forward THEN 'SELECT changeover.sync(%s, $1)' ELSE 'SELECT changeover.m%s_sync_reverse($1)' END, p_source);
    v_ids bigint[];
    v_keys text[];
    v_key text;
    v_drained bigint := 0;
    v_state text;
    v_message text;
    v_settled boolean := false;
    v_moving boolean := false;
    v_waiting text[];
    v_rejected text[] := '{}';
BEGIN
    SELECT array_agg(c.id ORDER BY c.id), array_agg(DISTINCT c.key) INTO v_ids, v_keys
    FROM (
        -- Each along its own index: a condition for the direction that is told would have none.
        (SELECT c.id, c.key FROM changeover.queue c
         WHERE v_forward AND c.source_id = p_source AND c.id > 0 AND c.direction = 'forward' AND c.key IS NOT NULL
           AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
         ORDER BY c.id LIMIT max_keys)
        UNION ALL
        (SELECT c.id, c.key FROM changeover.queue c
         WHERE NOT v_forward AND c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse' AND c.patch IS NULL AND c.key IS NOT NULL
           AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
         ORDER BY c.id LIMIT max_keys)
    ) c;
    IF v_ids IS NULL THEN
        RETURN 0;
    END IF;
    BEGIN
        EXECUTE v_sync USING v_keys;
        v_settled := true;
    EXCEPTION
        WHEN unique_violation OR exclusion_violation THEN
            v_moving := v_forward AND changeover.says(p_source, 'park');
        WHEN OTHERS THEN
            NULL;
    END;
    IF v_moving THEN
        -- Values that only one row may have move among rows: those of all that wait behind are put out of the way (C11). They get theirs
        -- when it is their turn.
        v_waiting := ARRAY(
            SELECT DISTINCT c.key FROM (
                SELECT c.key FROM changeover.queue c
                WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'forward' AND c.key IS NOT NULL
                  AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
                ORDER BY c.id LIMIT 5 * max_keys
            ) c);
        BEGIN
            PERFORM changeover.park_keys(p_source, v_waiting);
            EXECUTE v_sync USING v_keys;
            v_settled := true;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;
    IF v_settled THEN
        DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids);
        v_drained := cardinality(v_ids);
    ELSE
        FOREACH v_key IN ARRAY v_keys LOOP
            BEGIN
                IF NOT v_forward THEN
                    EXECUTE v_sync USING ARRAY[v_key];
                ELSIF changeover.one(p_source, v_key) > 0 AND v_moving THEN
                    v_rejected := v_rejected || v_key;
                END IF;
                DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids) AND c.key = v_key;
                v_drained := v_drained + 1;
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
                IF v_forward OR changeover.passes_on(v_state) OR v_state IN ('23505', '23P01') THEN
                    PERFORM changeover.tried(ARRAY(SELECT c.id FROM changeover.queue c WHERE c.id = ANY (v_ids) AND c.key = v_key),
                                             v_state, v_message);
                ELSE
                    -- No later attempt can say it either; a value that another row has may be free then.
                    PERFORM changeover.reject_key(p_source, v_key, v_state, v_message);
                    DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids) AND c.key = v_key;
                    v_drained := v_drained + 1;
                END IF;
            END;
        END LOOP;
        -- What another row's value was in the way of may have its place by now, or get it from those that wait behind.
        FOREACH v_key IN ARRAY v_rejected LOOP
            BEGIN
                IF changeover.one(p_source, v_key) > 0 THEN
                    INSERT INTO changeover.queue (source_id, direction, key, cause)
                    SELECT p_source, 'forward', v_key, 'moving'
                    WHERE EXISTS (SELECT FROM changeover.queue c
                                  WHERE c.source_id = p_source AND c.id > v_ids[cardinality(v_ids)] AND c.direction = 'forward'
                                    AND c.key IS NOT NULL AND c.cause <> 'moving');
                END IF;
            EXCEPTION WHEN OTHERS THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;  -- it is a reject already
            END;
        END LOOP;
    END IF;
    IF v_forward AND changeover.says(p_source, 'returns') THEN
        -- What is split from the same rows needs their parents, which may only be there now.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT z.id, 'forward', k.key, 'parent'
        FROM changeover.source y, changeover.source z, changeover.mapping m, unnest(v_keys) AS k (key)
        WHERE y.id = p_source AND z.oid = y.oid AND z.id > y.id AND z.state <> 'found' AND m.id = z.mapping_id AND m.kind = 'split';
    END IF;
    RETURN v_drained;
END
$$;

-- Whether something of these keys waits to be written back before entry p_id. A change of the key has two.
CREATE OR REPLACE FUNCTION changeover.waits_behind(p_source integer, p_id bigint, p_keys text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (SELECT FROM changeover.queue c
                   WHERE c.key = ANY (p_keys) AND c.source_id = p_source AND c.direction = 'reverse' AND c.id < p_id)
        OR EXISTS (SELECT FROM changeover.queue c
                   WHERE c.patch ->> 'key' = ANY (p_keys) AND c.source_id = p_source AND c.direction = 'reverse' AND c.id < p_id);
END
$$;

-- New to old, in their order. Those that nothing of their key is before go some at a time; where one of some fails, and of the rest, one by
-- one: so only that one is left. Of several writes of one key the first must be drained before the next is looked
-- at; a change of the key has two. What comes behind one that fails, or is not due, waits. With p_patched, those that tell what
-- was written; else those that only say: look at it. What is drained is taken out first: then nothing that settling it sets off
-- finds it waiting, and if a newer write has changed it meanwhile, it is read again on the next round.
-- Each call reads some of what waits, along an index, and for each the few that have its key: what a key costs does not grow
-- with the number of keys. Values that only one row may have may move among rows: those that such a value was in the way of are
-- tried again together, with all these values out of the way first.
CREATE OR REPLACE FUNCTION changeover.drain_reverse(p_source integer, max_keys integer, p_patched boolean) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_says jsonb;
    v_row record;
    v_ids bigint[];
    v_keys text[];
    v_tried bigint := 0;
    v_drained bigint := 0;
    v_moving bigint[] := '{}';
    v_patches jsonb[];
    v_some_patches jsonb[];
    v_patch jsonb;
    v_state text;
    v_message text;
BEGIN
    SELECT array_agg(w.id ORDER BY w.id), array_agg(w.patch ORDER BY w.id) INTO v_ids, v_patches
    FROM (
        SELECT w.id, w.patch
        FROM (
            (SELECT c.id, c.key, c.patch
             FROM changeover.queue c
             WHERE p_patched AND c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse' AND c.key IS NOT NULL
               AND c.patch IS NOT NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
             ORDER BY c.id LIMIT 10 * max_keys)
            UNION ALL
            (SELECT c.id, c.key, c.patch
             FROM changeover.queue c
             WHERE NOT p_patched AND c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse' AND c.key IS NOT NULL
               AND c.patch IS NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
             ORDER BY c.id LIMIT 10 * max_keys)
        ) w
        WHERE NOT changeover.waits_behind(p_source, w.id, ARRAY[w.key, w.patch ->> 'key'])
        LIMIT max_keys
    ) w;
    IF v_ids IS NULL THEN
        RETURN 0;
    END IF;
    v_says := changeover.fragments(p_source);
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR v_first IN 1 .. cardinality(v_ids) BY 50 LOOP
        BEGIN
            WITH gone AS (
                DELETE FROM changeover.queue c
                USING unnest(v_ids[v_first : v_first + 49], v_patches[v_first : v_first + 49]) AS s (id, patch)
                WHERE c.id = s.id AND c.patch IS NOT DISTINCT FROM s.patch
                RETURNING c.id, c.key, c.patch
            )
            SELECT array_agg(g.key ORDER BY g.id), array_agg(g.patch ORDER BY g.id) INTO v_keys, v_some_patches FROM gone g;
            PERFORM count(changeover.write_back(p_source, v_says, r.key, r.patch)) FROM unnest(v_keys, v_some_patches) AS r (key, patch);
            v_tried := v_tried + coalesce(cardinality(v_keys), 0);
        EXCEPTION WHEN OTHERS THEN
            RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;  -- whose fault it is shows below
        END;
    END LOOP;
    v_drained := v_tried;

    FOR v_row IN
        (SELECT c.id, c.key, c.patch
         FROM changeover.queue c
         WHERE p_patched AND c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse' AND c.key IS NOT NULL
           AND c.patch IS NOT NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
         ORDER BY c.id LIMIT 10 * max_keys)
        UNION ALL
        (SELECT c.id, c.key, c.patch
         FROM changeover.queue c
         WHERE NOT p_patched AND c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse' AND c.key IS NOT NULL
           AND c.patch IS NULL AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
         ORDER BY c.id LIMIT 10 * max_keys)
    LOOP
        EXIT WHEN v_tried >= max_keys;
        CONTINUE WHEN changeover.waits_behind(p_source, v_row.id, ARRAY[v_row.key, v_row.patch ->> 'key']);
        v_tried := v_tried + 1;
        BEGIN
            DELETE FROM changeover.queue c WHERE c.id = v_row.id AND c.patch IS NOT DISTINCT FROM v_row.patch;
            IF FOUND THEN
                PERFORM changeover.write_back(p_source, v_says, v_row.key, v_row.patch);
                v_drained := v_drained + 1;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
            PERFORM changeover.tried(ARRAY[v_row.id], v_state, v_message);
            IF v_state IN ('23505', '23P01') AND v_row.patch ? 'set' THEN
                v_moving := v_moving || v_row.id;
            END IF;
        END;
    END LOOP;

    IF cardinality(v_moving) > 1 THEN
        v_patches := '{}';
        BEGIN
            FOR v_row IN SELECT c.id, c.key, c.patch FROM changeover.queue c WHERE c.id = ANY (v_moving) ORDER BY c.id LOOP
                PERFORM set_config('changeover.origin', format('m%s:r', p_source), true);
                PERFORM set_config('changeover.putting', ARRAY[v_row.key]::text, true);
                v_patch := changeover.park_key(p_source, v_row.key, v_row.patch, v_row.id);
                v_patches := v_patches || v_patch;
                PERFORM set_config('changeover.origin', v_origin, true);
            END LOOP;
            FOR v_row IN SELECT c.id, c.key, row_number() OVER (ORDER BY c.id) AS nth
                         FROM changeover.queue c WHERE c.id = ANY (v_moving) ORDER BY c.id LOOP
                v_patch := v_patches[v_row.nth];
                DELETE FROM changeover.queue c WHERE c.id = v_row.id;
                PERFORM changeover.write_back(p_source, v_says, v_row.key, v_patch);
            END LOOP;
            v_drained := v_drained + cardinality(v_moving);
        EXCEPTION WHEN OTHERS THEN
            RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;  -- each has been told already, and waits
        END;
    END IF;
    RETURN v_drained;
END
$$;

-- Drain some of what waits for a source; how many were drained, and how many wait still, counted up to 1,000. With the exclusive lock
-- no batch of this source is under way: what one could bring back, it has. What is written here may set off the mirror of another mapping,
-- whose batch may well be: hence the setting names the source.
-- What the new side has written and could not write back comes first: it was hindered by writers of the old side, and a derivation from
-- the old row would undo it.
CREATE OR REPLACE FUNCTION changeover.drain(p_source integer, max_keys integer, p_notes boolean DEFAULT true) RETURNS TABLE (drained bigint, remaining bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_returns boolean := changeover.says(p_source, 'returns');
BEGIN
    PERFORM set_config('changeover.origin', changeover.forward_origin(p_source), true);
    PERFORM set_config('changeover.draining', p_source::text, true);
    PERFORM pg_advisory_xact_lock(1128419927, changeover.lock_key(p_source));
    drained := changeover.drain_judged(p_source);
    IF EXISTS (SELECT FROM changeover.queue c WHERE c.source_id = p_source AND c.id > 0 AND c.key IS NULL) THEN
        drained := drained + changeover.drain_whole(p_source, p_notes);
    END IF;
    IF v_returns THEN
        drained := drained + changeover.drain_reverse(p_source, max_keys, true);
    ELSIF changeover.says(p_source, 'sync_reverse') THEN
        drained := drained + changeover.drain_keys(p_source, 'reverse', max_keys);
    END IF;
    drained := drained + changeover.drain_keys(p_source, 'forward', max_keys);
    IF v_returns THEN
        drained := drained + changeover.drain_reverse(p_source, max_keys, false);
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
    PERFORM set_config('changeover.draining', '', true);
    remaining := least(1000, (
        SELECT count(*) FROM (
            (SELECT FROM changeover.queue c WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'forward' LIMIT 1000)
            UNION ALL
            (SELECT FROM changeover.queue c
             WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse' AND c.patch IS NOT NULL LIMIT 1000)
            UNION ALL
            (SELECT FROM changeover.queue c
             WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse' AND c.patch IS NULL LIMIT 1000)) r));
    RETURN NEXT;
END
$$;
