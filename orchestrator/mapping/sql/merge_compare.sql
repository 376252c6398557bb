-- The comparison of the keys on these pages, value by value and in one snapshot, and of their rejects.
CREATE OR REPLACE FUNCTION changeover.:fn:_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    "#keys" text[];
BEGIN
    SELECT array_agg(DISTINCT coalesce(:key_expression:, '')) INTO "#keys" FROM (:rows_of_pages:) s;
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE WHEN g.:target_key: IS NULL THEN 'missing' WHEN c.columns <> '{}' THEN 'different' END AS kind,
            CASE WHEN g.:target_key: IS NOT NULL THEN c.columns END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
:by_keys:
        ) d
        LEFT JOIN :target: g ON :same_key:
        CROSS JOIN LATERAL (SELECT :different_columns: AS columns OFFSET 0) c
        WHERE d."#reason" IS NULL
    ) q
    WHERE q.kind IS NOT NULL AND NOT :failed:;

    RETURN QUERY
    WITH wanted AS (
        SELECT f.key, f.reason, f."row", row_number() OVER (PARTITION BY f.key, f.reason, f."row") AS nth
        FROM (
:rejects_by_keys:
        ) f
    ),
    standing AS (
        SELECT r.key, r.reason, r."row", row_number() OVER (PARTITION BY r.key, r.reason, r."row" ORDER BY r.id) AS nth
        FROM changeover.reject r
        WHERE r.source_id = :id: AND r.id > 0
          AND (r.key = ANY ("#keys")
               OR ("#first" AND NOT EXISTS (SELECT FROM (:all_keys:) k WHERE k.key = r.key)))
    )
    SELECT q.key, q.kind, NULL::text[], q.expected, q.actual
    FROM (
        SELECT w.key, 'unrejected'::text AS kind, w."row" AS expected, NULL::jsonb AS actual
        FROM wanted w
        WHERE NOT EXISTS (SELECT FROM standing s
                          WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))
        UNION ALL
        SELECT s.key, 'stale_reject'::text, NULL::jsonb, s."row"
        FROM standing s
        WHERE NOT EXISTS (SELECT FROM wanted w
                          WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))
    ) q
    WHERE NOT :failed:;
END
$changeover$
