-- The part of a drain that reads more than some keys: what a batch has rejected, and entries without a key, which speak of a whole source. See
-- draining.sql and fragments.sql.

-- What a batch has rejected stands if it is the very version of the row that the batch saw, and nobody is about to change it: whoever
-- changes it from now on sees the reject. No batch is under way.
CREATE OR REPLACE FUNCTION changeover.drain_judged(p_source integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_places tid[] := ARRAY(
        SELECT (c.patch ->> 'place')::tid FROM changeover.queue c
        WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'forward' AND c.patch ? 'place');
    v_drained bigint := 0;
BEGIN
    IF v_places <> '{}' THEN
        DELETE FROM changeover.queue c USING changeover.source_rows(p_source, NULL, v_places, NULL, NULL, NULL) k
        WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'forward' AND c.patch ? 'place'
          AND (c.patch ->> 'place')::tid = k.place AND c.patch ->> 'xmin' = k.version;
        GET DIAGNOSTICS v_drained = ROW_COUNT;
    END IF;
    RETURN v_drained;
END
$$;

-- Keys for the queue: of what stands without a row, and unless only that is asked for, of every row. These read whole tables, and shall:
-- along an index it would take many times as long.
CREATE OR REPLACE FUNCTION changeover.queue_whole(p_source integer, p_direction text, p_cause text, p_all boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = on SET enable_bitmapscan = on AS $$
BEGIN
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT p_source, p_direction, r.key, p_cause FROM changeover.reject r
    WHERE r.source_id = p_source AND r.id > 0
      AND NOT EXISTS (SELECT FROM changeover.source_rows(p_source, NULL, NULL, NULL, NULL, false) k WHERE k.key = r.key)
    GROUP BY r.key;
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT p_source, p_direction, k.key, p_cause FROM changeover.left_over(p_source) k;
    IF p_all THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT p_source, p_direction, k.key, p_cause
        FROM changeover.source_rows(p_source, NULL, NULL, NULL, NULL, false) k;
    END IF;
END
$$;

-- The new table was emptied before entry p_entry. What waited speaks of rows that are gone; of old rows that are gone as well it may be the
-- last word. A write of the old side that was committed since, as its transaction was open then, is a later word: it stays, with its row.
-- What is rejected stood for nothing there before; it may be free to come now.
CREATE OR REPLACE FUNCTION changeover.queue_emptied(p_source integer, p_entry bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = on SET enable_bitmapscan = on AS $$
DECLARE
    v_blank boolean := changeover.says(p_source, 'blank');
    v_seen text := (SELECT c.patch ->> 'seen' FROM changeover.queue c WHERE c.id = p_entry);
BEGIN
    DELETE FROM changeover.queue c
    WHERE c.source_id = p_source AND c.id > 0 AND c.key IS NOT NULL AND c.id < p_entry
      AND (c.direction = 'reverse'
           OR changeover.seen_by(c.xmin, v_seen)
              AND (v_blank OR c.key <> '') AND c.key IN (SELECT k.key FROM changeover.source_rows(p_source, NULL, NULL, NULL, NULL, false) k));
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT p_source, CASE WHEN k.rows > coalesce(r.rejects, 0) THEN 'reverse' ELSE 'forward' END, k.key, 'emptied'
    FROM (SELECT k.key, count(*) AS rows FROM changeover.source_rows(p_source, NULL, NULL, NULL, NULL, false) k
          WHERE v_blank OR k.key <> '' GROUP BY k.key) k
    LEFT JOIN (SELECT r.key, count(*) AS rejects FROM changeover.reject r
               WHERE r.source_id = p_source AND r.id > 0 GROUP BY r.key) r ON r.key = k.key
    WHERE NOT EXISTS (SELECT FROM changeover.queue c WHERE c.key = k.key AND c.source_id = p_source AND c.direction = 'forward');
END
$$;

-- Rows of a lookup have changed. All notes of one lookup are worked off together, twice: now, and once all transactions that run at the
-- first look have ended, since one of them may have read the lookup as it was before; where none runs, once. Those have lower numbers
-- than the one that looks. The end of its snapshot would not do: it may be below the number of one that runs.
CREATE OR REPLACE FUNCTION changeover.drain_notes(p_source integer, p_every boolean) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = on SET enable_bitmapscan = on AS $$
DECLARE
    v_own text := pg_current_xact_id()::text;
    v_alone boolean := NOT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock'
                                   AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid());
    v_ended xid8 := pg_snapshot_xmin(pg_current_snapshot());
    v_group record;
    v_more bigint;
    v_drained bigint := 0;
BEGIN
    FOR v_group IN
        SELECT c.direction, c.cause, c.patch ->> 'lookup' AS lookup, c.patch ? 'changes' AS told, array_agg(c.id) AS ids
        FROM changeover.queue c
        WHERE c.source_id = p_source AND c.id > 0 AND c.key IS NULL AND c.cause IN ('lookup', 'follow')
          AND (p_every OR c.direction = 'reverse' OR (c.patch ? 'changes') IS NOT TRUE)
          AND (c.patch ? 'all') IS NOT TRUE AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
        GROUP BY c.direction, c.cause, c.patch ->> 'lookup', c.patch ? 'changes'
        ORDER BY min(c.id)
    LOOP
        IF v_group.told THEN
            v_drained := v_drained + changeover.drain_lookup(p_source, v_group.direction, v_group.lookup, v_group.ids);
            CONTINUE;
        END IF;
        IF v_group.lookup IS NULL THEN
            PERFORM changeover.queue_whole(p_source, v_group.direction, v_group.cause, true);
        ELSE
            EXECUTE format('INSERT INTO changeover.queue (source_id, direction, key, cause) '
                           'SELECT $1, $2, k.key, $3 FROM changeover.m%s_dependents($4) AS k (key)', p_source)
            USING p_source, v_group.direction, v_group.cause, (
                SELECT jsonb_build_object('lookup', v_group.lookup, 'cause', v_group.cause, 'rows', coalesce(jsonb_agg(r.one), '[]'))
                FROM changeover.queue c, jsonb_array_elements(c.patch -> 'rows') AS r (one) WHERE c.id = ANY (v_group.ids));
        END IF;
        DELETE FROM changeover.queue c
        WHERE c.id = ANY (v_group.ids) AND (v_alone OR c.patch ? 'until' AND v_ended >= (c.patch ->> 'until')::xid8);
        GET DIAGNOSTICS v_more = ROW_COUNT;
        v_drained := v_drained + v_more;
        UPDATE changeover.queue c
        SET not_before = clock_timestamp() + interval '100 ms',
            patch = jsonb_build_object('until', v_own) || coalesce(c.patch, '{}')
        WHERE c.id = ANY (v_group.ids);
    END LOOP;
    RETURN v_drained;
END
$$;

-- Entries without a key speak of the whole source. After a TRUNCATE that is what stands in the target and not in the source; if the
-- mirror could not tell which keys it was, it is every key. While rows are copied, notes of lookups wait (p_notes is NULL). Then, until the
-- indexes are built, those wait still of which only the way there depends (it is false): who depends on a row is found by reading all of
-- them, for each source. The others do not: writes wait for them (C10).
CREATE OR REPLACE FUNCTION changeover.drain_whole(p_source integer, p_notes boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_drained bigint := CASE WHEN p_notes IS NULL THEN 0 ELSE changeover.drain_notes(p_source, p_notes) END;
    v_ids bigint[];
    v_forward boolean;
    v_all boolean;
    v_emptied bigint;
BEGIN
    SELECT array_agg(c.id), bool_or(c.direction = 'forward'), bool_or(c.direction = 'forward' AND c.cause <> 'truncate'),
           max(c.id) FILTER (WHERE c.direction = 'reverse' AND c.cause = 'emptied')
    INTO v_ids, v_forward, v_all, v_emptied
    FROM changeover.queue c
    WHERE c.source_id = p_source AND c.id > 0 AND c.key IS NULL
      AND (c.cause NOT IN ('lookup', 'follow') OR c.patch ? 'all')
      AND (c.not_before IS NULL OR c.not_before <= clock_timestamp());
    IF v_ids IS NULL THEN
        RETURN v_drained;
    END IF;
    IF v_forward THEN
        PERFORM changeover.queue_whole(p_source, 'forward', 'whole', v_all);
    END IF;
    IF v_emptied IS NOT NULL THEN
        PERFORM changeover.queue_emptied(p_source, v_emptied);
    END IF;
    DELETE FROM changeover.queue c WHERE c.id = ANY (v_ids);
    RETURN v_drained + cardinality(v_ids);
END
$$;
