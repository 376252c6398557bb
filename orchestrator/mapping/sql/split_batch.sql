-- One batch of a split: the columns that count, of the rows on these pages whose parent stands.
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
    "#places" tid[];
    v_careful boolean := coalesce(nullif(current_setting('changeover.careful', true), '')::boolean, false);
    v_met boolean := false;
    v_seen bigint;
    v_copied bigint;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    -- A list, and not the range: see on_pages in sqltext.py.
    "#places" := ARRAY(SELECT p.ctid FROM :source: p WHERE p.ctid >= "#from" AND p.ctid < "#to");
    v_seen := cardinality("#places");
    -- Plain first, as in batch.sql; a batch after one that met a mirror's row looks out for them.
    IF NOT v_careful THEN
        BEGIN
            INSERT INTO :target: AS g (:columns:)
            SELECT :derived_columns:
            FROM (
:by_pages:
            ) d
            WHERE d."#reason" IS NULL;
            GET DIAGNOSTICS v_copied = ROW_COUNT;
        EXCEPTION WHEN unique_violation THEN
            v_met := true;
        END;
    END IF;
    IF v_careful OR v_met THEN
        INSERT INTO :target: AS g (:columns:)
        SELECT :derived_columns:
        FROM (
:by_pages:
        ) d
        WHERE d."#reason" IS NULL
        ON CONFLICT :conflict: DO NOTHING;
        GET DIAGNOSTICS v_copied = ROW_COUNT;
    END IF;
    PERFORM set_config('changeover.careful', v_met::text, false);
    PERFORM changeover.check_constraints(:written:);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, 0::bigint;
END
$changeover$
