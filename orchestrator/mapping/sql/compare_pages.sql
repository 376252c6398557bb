-- The comparison of the heap pages [lo, hi) of a source with the target, and how many rows stand on them.
--
-- A row may be one that cannot even be derived (a cast in the plan fails on its value): the batch has made it a reject,
-- and all that is left to ask is whether that reject stands. Such a row would end the whole comparison, so the pages are
-- then gone through row by row.
CREATE OR REPLACE FUNCTION changeover.:fn:_compare(lo bigint, hi bigint)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    v_whole boolean := true;
    v_row record;
    v_state text;
BEGIN
    BEGIN
        RETURN QUERY SELECT f.* FROM changeover.:fn:_compared("#from", "#to", lo = 0) f;
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE IN ('40001', '40P01', '55P03', '57014') OR SQLSTATE LIKE '53%' OR SQLSTATE LIKE '42%' THEN
            RAISE;
        END IF;
        v_whole := false;
    END;
    IF NOT v_whole THEN
        RETURN QUERY SELECT f.* FROM changeover.:fn:_compared("#from", "#from", lo = 0) f;
        FOR v_row IN
            SELECT k.* FROM (:places_of_rows:) k WHERE k.place >= "#from" AND k.place < "#to"
        LOOP
            BEGIN
                RETURN QUERY SELECT f.* FROM changeover.:fn:_compared(v_row.place, v_row.behind, false) f;
            EXCEPTION WHEN OTHERS THEN
                v_state := SQLSTATE;
                IF v_state IN ('40001', '40P01', '55P03', '57014') OR v_state LIKE '53%' OR v_state LIKE '42%' THEN
                    RAISE;
                END IF;
                RETURN QUERY
                SELECT v_row.key, CASE WHEN :stands: THEN 'orphan' ELSE 'unrejected' END, NULL::text[],
                    v_row."row", jsonb_build_object('error', changeover.condition_name(v_state))
                WHERE :stands: OR NOT EXISTS (
                    SELECT FROM changeover.reject r
                    WHERE r.source_id = :id: AND r.key = v_row.key AND r."row" = v_row."row");
            END;
        END LOOP;
    END IF;

    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM :source: x WHERE x.ctid >= "#from" AND x.ctid < "#to";
END
$changeover$
