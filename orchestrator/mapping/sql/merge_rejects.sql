-- The rejects of these keys become exactly those that apply now; a waived one stays waived.
WITH wanted AS (
        SELECT f.key, f.reason, f.detail, f."row",
               row_number() OVER (PARTITION BY f.key, f.reason, f."row") AS nth
        FROM (
:rejects_by_keys:
        ) f
    ),
    standing AS (
        SELECT r.id, r.key, r.reason, r."row",
               row_number() OVER (PARTITION BY r.key, r.reason, r."row" ORDER BY r.id) AS nth
        FROM changeover.reject r
        WHERE r.source_id = :id: AND r.key = ANY ("#keys")
    ),
    settled AS (
        DELETE FROM changeover.reject r
        WHERE r.id = ANY (ARRAY(
            SELECT s.id FROM standing s
            WHERE NOT EXISTS (SELECT FROM wanted w
                              WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))))
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
    SELECT :id:, :label:, :stage:, w.key, w.reason, w.detail, w."row"
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM standing s
                      WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth));
