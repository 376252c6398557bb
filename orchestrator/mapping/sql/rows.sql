-- Rows of a source: of some keys, at some places, on some pages, or all. What is not asked for is NULL; as it is planned at each call,
-- that falls away, and what is asked for has the plan of its own kind. "#whole": with the row, and whether its key stands in the target;
-- NULL: not even the key is computed. The version of a row that somebody is about to change is NULL.
CREATE OR REPLACE FUNCTION changeover.:fn:_rows("#keys" text[], "#places" tid[], "#from" tid, "#to" tid, "#whole" boolean)
RETURNS TABLE (place tid, key text, version text, "row" jsonb, stands boolean)
LANGUAGE plpgsql
STABLE
:pins:
SET plan_cache_mode = force_custom_plan
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT x.ctid, CASE WHEN "#whole" IS NOT NULL THEN :key: END, CASE WHEN x.xmax = 0 THEN x.xmin::text END,
        CASE WHEN "#whole" THEN :row: END, CASE WHEN "#whole" THEN :stands: END
    FROM :source: x
    WHERE ("#keys" IS NULL OR :rows_of_keys:)
      AND ("#places" IS NULL OR x.ctid = ANY ("#places"))
      AND ("#from" IS NULL OR x.ctid >= "#from" AND x.ctid < "#to");
END
$changeover$
