-- The comparison of a split over pages of the source, both ways, in one snapshot.
CREATE OR REPLACE FUNCTION changeover.:fn:_compare(lo bigint, hi bigint)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
:pins:
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $changeover$
#variable_conflict use_column
DECLARE
    v_from tid := ('(' || lo || ',0)')::tid;
    v_to tid := ('(' || hi || ',0)')::tid;
BEGIN
    RETURN QUERY
    SELECT d."#key", CASE WHEN g.:item: IS NULL THEN 'missing' ELSE 'different' END,
        ARRAY[d.:item:], jsonb_build_object(:wanted:), CASE WHEN g.:item: IS NOT NULL THEN to_jsonb(g) END
    FROM (
:by_pages:
    ) d
    LEFT JOIN :target: g ON g.:parent_column: = d.:parent_column: AND g.:item: = d.:item:
    WHERE d.reason IS NULL AND (g.:item: IS NULL OR :differs:);

    RETURN QUERY
    SELECT k.key, 'ghost'::text, ARRAY[g.:item:], NULL::jsonb, to_jsonb(g)
    FROM (:keys_of_rows: WHERE x.ctid >= v_from AND x.ctid < v_to) k
    JOIN :target: g ON g.:parent_column: = :target_of_key: AND g.:item: = ANY (:items:) AND :own:
    WHERE NOT EXISTS (SELECT FROM (
:by_pages:
    ) d WHERE d.reason IS NULL AND d.:parent_column: = g.:parent_column: AND d.:item: = g.:item:);

    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM :source: x WHERE x.ctid >= v_from AND x.ctid < v_to;
END
$changeover$
