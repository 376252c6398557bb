-- The comparison of the heap pages [lo, hi) of a table that is changed in place: each group of columns of a row must say
-- the same on both sides. Two values of different spelling agree where either side gives the other one; what the row
-- says where the old columns cannot follow is on record. One snapshot; nothing is changed.
CREATE OR REPLACE FUNCTION changeover.:fn:_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q."#key", q.kind, q.columns, q.expected, (SELECT jsonb_build_object(:actual:) FROM :table: g WHERE g.ctid = q."#ctid")
    FROM (
        SELECT d."#key", d."#ctid",
            CASE
                -- What its lookup is to make the server refuses each time: no comparison makes it, and the row waits as a reject.
                WHEN d."#unresolved" AND EXISTS (
                    SELECT FROM changeover.reject r, :table: g
                    WHERE r.source_id = :id: AND r.key = d."#key" AND g.ctid = d."#ctid" AND r."row" = to_jsonb(g.*)
                      AND NOT EXISTS (SELECT FROM (VALUES :reasons:) w (reason, detail, is_open) WHERE w.reason = r.reason) OFFSET 0)
                    THEN NULL
                WHEN :compares: THEN CASE WHEN d."#fills" THEN 'missing' ELSE 'different' END
                WHEN d."#aside" OR d."#key" IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0) THEN
                    CASE
                        WHEN EXISTS (
                            SELECT FROM (VALUES :reasons:) w (reason, detail, is_open)
                            WHERE w.reason IS NOT NULL AND w.is_open AND NOT EXISTS (
                                SELECT FROM changeover.reject r, :table: g
                                WHERE r.source_id = :id: AND r.key = d."#key" AND r.reason = w.reason AND r.detail = w.detail
                                  AND g.ctid = d."#ctid" AND r."row" = to_jsonb(g.*)))
                            THEN 'unrejected'
                        WHEN EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = :id: AND r.key = d."#key" AND NOT EXISTS (
                                SELECT FROM (VALUES :reasons:) w (reason, detail, is_open)
                                WHERE w.reason = r.reason AND w.detail = r.detail AND w.is_open))
                            THEN 'stale_reject'
                        WHEN :unmade: THEN 'missing'
                    END
            END AS kind,
            array_remove(ARRAY[:different_columns:]::text[], NULL) AS columns,
            jsonb_build_object(:expected:) AS expected
        FROM (
:by_pages:
        ) d
    ) q
    WHERE q.kind IS NOT NULL;

    -- Rejects whose row is no longer there; once, with the first range.
    IF "#first" AND EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0) THEN
        RETURN QUERY
        SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
        FROM changeover.reject r
        WHERE r.source_id = :id: AND r.id > 0
          AND NOT EXISTS (SELECT FROM (SELECT :key: AS key FROM :table: x) k WHERE k.key = r.key);
    END IF;
END
$changeover$
