-- One batch of a merge: the natural keys on these pages, each derived from all its sources. A key that
-- another batch has brought already stays as it is; a placeholder made by a lookup becomes the real row. A key that
-- waits to be given up on the old side is not brought back to the new one.
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
    v_missing text[];
    v_bad text[] := '{}';
    v_reasons text[] := '{}';
    v_seen bigint;
    v_copied bigint := 0;
    v_rejected bigint := 0;
    v_row record;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    SELECT count(*) INTO v_seen FROM :source: x WHERE x.ctid >= "#from" AND x.ctid < "#to";
    "#keys" := ARRAY(
        SELECT k.key FROM (SELECT DISTINCT :key_expression: AS key FROM (:rows_of_pages:) s WHERE :valid:) k WHERE NOT :waiting:
    );
    FOR v_pass IN 1..2 LOOP
        v_missing := '{}';
        FOR v_row IN
            SELECT d.* FROM (
:by_keys:
            ) d
            ORDER BY d."#key"
        LOOP
            IF v_row."#reason" IS NOT NULL THEN
                v_bad := v_bad || v_row."#key";
                v_reasons := v_reasons || v_row."#reason";
            ELSIF v_row."#unresolved" AND v_pass = 1 THEN
                v_missing := v_missing || v_row."#key";
            ELSE
                INSERT INTO :target: AS g (:columns:) VALUES (:derived_columns:)
                ON CONFLICT :conflict: DO UPDATE SET :update_set: WHERE :placeholder:;
                v_copied := v_copied + CASE WHEN FOUND THEN 1 ELSE 0 END;
            END IF;
        END LOOP;
        EXIT WHEN v_missing = '{}';
        "#keys" := v_missing;
        :create_by_keys:
    END LOOP;
    WITH found AS (
:rejects_by_pages:
    ),
    written AS (
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT :id:, :label:, :stage:, f.key, f.reason, f.detail, f."row" FROM found f
        RETURNING key
    ),
    again AS (
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT :id:, 'forward', f.key, 'batch:' || f.reason FROM found f
    )
    SELECT count(*) INTO v_rejected FROM written;
    PERFORM changeover.check_constraints(:written:);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, v_rejected;
END
$changeover$
