-- The same pages row by row: a batch that fails on a value is narrowed down to here. The row that cannot
-- be stored becomes a reject with the name of its error; the others go through.
CREATE OR REPLACE FUNCTION changeover.:fn:_isolate(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    v_key text;
    v_seen bigint := 0;
    v_rejected bigint := 0;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    SELECT count(*) INTO v_seen FROM :source: x WHERE x.ctid >= "#from" AND x.ctid < "#to";
    FOR v_key IN
        SELECT DISTINCT k.key FROM (:keys_of_rows: WHERE x.ctid >= "#from" AND x.ctid < "#to") k
    LOOP
        v_rejected := v_rejected + changeover.:fn:_one(v_key);
    END LOOP;
    RETURN QUERY SELECT v_seen, v_seen - v_rejected, v_rejected;
END
$changeover$
