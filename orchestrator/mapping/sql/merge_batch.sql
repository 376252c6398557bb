-- One batch of a merge: the natural keys on these pages, each derived from all its sources. A key that
-- another batch has brought already stays as it is; a placeholder made by a lookup becomes the real row.
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
    "#keys" text[];
    v_seen bigint;
    v_copied bigint;
    v_rejected bigint := 0;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    SELECT count(*) INTO v_seen FROM :source: x WHERE x.ctid >= "#from" AND x.ctid < "#to";
    SELECT array_agg(DISTINCT :key_expression:) INTO "#keys" FROM (:rows_of_pages:) s WHERE :valid:;
    IF EXISTS (SELECT FROM (
:by_keys:
    ) d WHERE d."#reason" IS NULL AND d."#unresolved") THEN
        :create_by_keys:
    END IF;
    INSERT INTO :target: AS g (:columns:)
    SELECT :derived_columns:
    FROM (
:by_keys:
    ) d
    WHERE d."#reason" IS NULL
    ON CONFLICT :conflict: DO UPDATE SET :update_set: WHERE :placeholder:;
    GET DIAGNOSTICS v_copied = ROW_COUNT;
    WITH found AS (
:rejects_by_pages:
    ),
    written AS (
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT :id:, :label:, :stage:, f.key, f.reason, f.detail, f."row" FROM found f
        RETURNING key
    ),
    again AS (
        INSERT INTO changeover.recheck (source_id, direction, key, cause)
        SELECT DISTINCT :id:, 'forward', f.key, 'batch:' || f.reason FROM found f
    )
    SELECT count(*) INTO v_rejected FROM written;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, v_rejected;
END
$changeover$
