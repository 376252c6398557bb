-- The rejects of these keys become exactly those that apply now, one for each group of columns that cannot be computed;
-- a waived one stays waived. The caller is a writer of the rows or has locked them.
CREATE OR REPLACE FUNCTION changeover.:fn:_judge("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
BEGIN
    WITH wanted AS (
        SELECT d."#key" AS key, w.reason, w.detail, to_jsonb(g.*) AS "row"
        FROM (
:by_keys:
        ) d
        JOIN :table: g ON g.ctid = d."#ctid"
        CROSS JOIN LATERAL (VALUES :reasons:) w (reason, detail, is_open)
        WHERE w.reason IS NOT NULL AND w.is_open
    ),
    standing AS (
        SELECT r.id, r.key, r.reason, r.detail, r."row" FROM changeover.reject r WHERE r.source_id = :id: AND r.key = ANY ("#keys")
    ),
    settled AS (
        DELETE FROM changeover.reject r
        WHERE r.id = ANY (ARRAY(
            SELECT s.id FROM standing s
            WHERE NOT EXISTS (SELECT FROM wanted w
                              WHERE (w.key, w.reason, w.detail, w."row") IS NOT DISTINCT FROM (s.key, s.reason, s.detail, s."row"))))
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
    SELECT :id:, :label:, :stage:, w.key, w.reason, w.detail, w."row"
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM standing s
                      WHERE (w.key, w.reason, w.detail, w."row") IS NOT DISTINCT FROM (s.key, s.reason, s.detail, s."row"));
END
$changeover$
