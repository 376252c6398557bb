-- One batch: the heap pages [lo, hi) of a table that is changed in place. It fills only what nobody has computed or
-- written yet, and only the version of a row that it has read: who has changed the row since has fired the mirror.
-- Rows that somebody holds are waited for as briefly as the transaction's lock_timeout says; then they are left to the
-- queue, and the rest of the pages is filled without them.
CREATE OR REPLACE FUNCTION changeover.:fn:_batch(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    v_free tid[];
    v_seen bigint;
    v_copied bigint;
    v_aside text[];
    v_held text[];
    v_before bigint := 0;
    v_rejected bigint := 0;
BEGIN
    PERFORM set_config('changeover.origin', :own:, true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    FOR v_try IN 1..2 LOOP
        BEGIN
            WITH derived AS MATERIALIZED (
:by_pages:
            ),
            filled AS (
                UPDATE :table: g SET :set:
                FROM derived d
                WHERE g.ctid = d."#ctid" AND g.ctid >= "#from" AND g.ctid < "#to" AND d."#fills" AND (v_free IS NULL OR d."#ctid" = ANY (v_free))
                RETURNING d."#key" AS key, d."#originals" AS originals
            ):recorded:
            SELECT count(*), (SELECT count(*) FROM filled),
                array_agg(d."#key") FILTER (WHERE d."#aside" AND (v_free IS NULL OR d."#ctid" = ANY (v_free))),
                array_agg(d."#key") FILTER (WHERE (d."#aside" OR d."#fills") AND NOT (v_free IS NULL OR d."#ctid" = ANY (v_free)))
            INTO v_seen, v_copied, v_aside, v_held
            FROM derived d;
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF v_try = 2 THEN
                RAISE;
            END IF;
            v_free := ARRAY(SELECT x.ctid FROM :table: x WHERE :on_pages: FOR NO KEY UPDATE SKIP LOCKED);
        END;
    END LOOP;
    FOR v_try IN 1..2 LOOP
        EXIT WHEN v_aside IS NULL;
        BEGIN
            SELECT count(*) INTO v_before FROM changeover.reject r WHERE r.source_id = :id: AND r.key = ANY (v_aside);
            PERFORM changeover.:fn:_sync(v_aside);
            SELECT count(*) - v_before INTO v_rejected FROM changeover.reject r WHERE r.source_id = :id: AND r.key = ANY (v_aside);
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            v_held := v_held || v_aside;
            EXIT WHEN v_try = 2;
            v_aside := ARRAY(SELECT :key: FROM :table: x WHERE :rows_of_aside: FOR NO KEY UPDATE SKIP LOCKED);
            v_held := ARRAY(SELECT h.key FROM unnest(v_held) AS h (key) WHERE h.key <> ALL (v_aside));
        END;
    END LOOP;
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT :id:, 'forward', h.key, 'held' FROM unnest(v_held) AS h (key);
    PERFORM set_config('changeover.origin', v_origin, true);
    v_rejected := greatest(v_rejected, 0);
    RETURN QUERY SELECT v_seen, v_copied + coalesce(cardinality(v_aside), 0) - v_rejected, v_rejected;
END
$changeover$
