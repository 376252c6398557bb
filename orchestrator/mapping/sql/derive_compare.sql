-- The comparison of a derive over pages of the source, in one snapshot. A row that the application has changed or deleted
-- is its own and is not compared. OFFSET 0: the pair and the derived row of each row of the range are looked for by their keys.
CREATE OR REPLACE FUNCTION changeover.:fn:_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE
                WHEN m.key IS NOT NULL AND :once: THEN NULL
                WHEN d."#reason" = :left_out: THEN CASE WHEN :digest: = m.made THEN 'orphan' END
                WHEN d."#reason" IS NOT NULL THEN
                    CASE
                        WHEN NOT EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = :id: AND r.key = d."#key"
                              AND (r.reason = d."#reason" AND r."row" = d."#row" OR :of_whole_row:))
                            THEN 'unrejected'
                        WHEN :digest: = m.made THEN 'orphan'
                    END
                WHEN m.key IS NULL THEN
                    CASE WHEN NOT EXISTS (
                        SELECT FROM changeover.reject r
                        WHERE r.source_id = :id: AND r.key = d."#key" AND (r."row" = d."#row" OR :of_whole_row:))
                        THEN 'missing' END
                WHEN :stale: THEN 'stale_reject'
                WHEN :digest: = m.made AND (:differs:) THEN 'different'
            END AS kind,
            CASE WHEN m.key IS NOT NULL AND d."#reason" IS NULL
                THEN array_remove(ARRAY[:different_columns:]::text[], NULL) END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
:by_pages:
        ) d
        LEFT JOIN LATERAL (SELECT m.* FROM changeover.key_map m WHERE :paired: OFFSET 0) m ON true
        LEFT JOIN LATERAL (SELECT g.* FROM :target: g WHERE :of_pair: OFFSET 0) g ON true
    ) q
    WHERE q.kind IS NOT NULL;
    :items:

    -- Rejects and derived rows whose source row is no longer there; once, with the first range.
    IF "#first" THEN
        RETURN QUERY
        SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
        FROM changeover.reject r
        WHERE r.source_id = :id: AND r.id > 0
          AND NOT EXISTS (SELECT FROM (:keys_of_rows:) k WHERE k.key = r.key);
        RETURN QUERY
        SELECT m.key, 'orphan'::text, NULL::text[], NULL::jsonb, jsonb_build_object('key', m.target_key)
        FROM changeover.key_map m JOIN :target: g ON :of_pair: AND :digest: = m.made
        WHERE m.source_id = :id: AND NOT EXISTS (SELECT FROM (:keys_of_rows:) k WHERE k.key = m.key);
    END IF;
END
$changeover$
