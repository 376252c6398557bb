-- Derive every row of these pages again, overwriting: for a source whose columns changed after its copy.
CREATE OR REPLACE FUNCTION changeover.:fn:_resync(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    v_keys text[];
    v_seen bigint;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    -- The rows are locked first, so that no writer stands between our reading and our writing.
    SELECT array_agg(DISTINCT k.key), count(*) INTO v_keys, v_seen
    FROM (:keys_of_rows: WHERE x.ctid >= "#from" AND x.ctid < "#to" FOR NO KEY UPDATE) k;
    IF v_seen > 0 THEN
        PERFORM changeover.:fn:_sync(v_keys);
    END IF;
    RETURN QUERY SELECT v_seen, v_seen, 0::bigint;
END
$changeover$
