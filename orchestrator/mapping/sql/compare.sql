-- The comparison of the heap pages [lo, hi) of a source with the target, value by value. STABLE: the whole
-- function sees one snapshot, in which the synchronous mirrors have both sides equal. It changes nothing.
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
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE
                WHEN d."#reason" IS NOT NULL THEN
                    CASE
                        WHEN NOT EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = :id: AND r.key = d."#key" AND r.reason = d."#reason" AND r."row" = d."#row")
                            THEN 'unrejected'
                        -- Of several rows with one key only the first stands in the target.
                        WHEN d."#reason" <> 'id_taken' AND :key_is_unique: AND g.:target_key: IS NOT NULL AND :own: AND :alive:
                            THEN 'orphan'
                    END
                WHEN g.:target_key: IS NULL OR NOT (:own:) OR NOT :alive: THEN
                    CASE
                        WHEN NOT EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = :id: AND r.key = d."#key" AND r."row" = d."#row")
                            THEN 'missing'
                        WHEN g.:target_key: IS NULL AND EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = :id: AND r.key = d."#key" AND r.reason = 'id_taken' AND r."row" = d."#row")
                            THEN 'stale_reject'
                    END
                WHEN d."#key" IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0)
                    AND :key_is_unique: THEN 'stale_reject'
                WHEN c.columns <> '{}' THEN 'different'
            END AS kind,
            CASE WHEN g.:target_key: IS NOT NULL AND d."#reason" IS NULL THEN c.columns END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
:by_pages:
        ) d
        LEFT JOIN :target: g ON :same_key:
        CROSS JOIN LATERAL (SELECT :different_columns: AS columns OFFSET 0) c
    ) q
    WHERE q.kind IS NOT NULL;

    -- Rejects whose source row is no longer there; once, with the first range.
    IF "#first" AND EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0) THEN
        RETURN QUERY
        SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
        FROM changeover.reject r
        WHERE r.source_id = :id: AND r.id > 0
          AND NOT EXISTS (SELECT FROM (:keys_of_rows:) k WHERE k.key = r.key);
        :count_alike:
    END IF;
END
$changeover$
