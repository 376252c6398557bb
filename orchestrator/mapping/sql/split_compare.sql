-- The comparison of a split over pages of the source, both ways, in one snapshot.
CREATE OR REPLACE FUNCTION changeover.:fn:_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    "#places" tid[] := ARRAY(SELECT p.ctid FROM :source: p WHERE p.ctid >= "#from" AND p.ctid < "#to");
BEGIN
    -- One full join: an equal row of either side that stands alone would otherwise be searched for row by row.
    RETURN QUERY
    SELECT coalesce(d."#key", g.key),
        CASE WHEN g.:item: IS NULL THEN 'missing' WHEN d.:item: IS NULL THEN 'orphan' ELSE 'different' END,
        ARRAY[coalesce(d.:item:, g.:item:)],
        CASE WHEN d.:item: IS NOT NULL THEN jsonb_build_object(:wanted:) END,
        CASE WHEN g.:item: IS NOT NULL THEN to_jsonb(g.*) END
    FROM (
        SELECT d.* FROM (
:by_pages:
        ) d WHERE d."#reason" IS NULL
    ) d
    FULL JOIN (
        SELECT k.key, g.*
        FROM (:keys_of_rows: WHERE :on_pages:) k
        JOIN :target: g ON g.:parent_column: = :target_of_key: AND g.:item: = ANY (:items:) AND :own:
    ) g ON g.:parent_column: = d.:parent_column: AND g.:item: = d.:item:
    -- A row that could not be stored stands among the rejects, whole.
    WHERE (g.:item: IS NULL AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = d."#key"))
       OR d.:item: IS NULL OR (g.:item: IS NOT NULL AND :differs:);
END
$changeover$
