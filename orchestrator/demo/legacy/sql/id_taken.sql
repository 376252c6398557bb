-- Rows of two tables that carry the same id (one was once copied from the other by hand): as many clean
-- rows of the table (seen through the view `audit`) as there is one in 400, at least one, take the id of the
-- row of the same number in the other table. Both are kind 0, so that nothing but the id is wrong.
WITH pair AS (
    SELECT n FROM generate_series(1, least(%(rows)s, %(other_rows)s)::bigint) AS n
    WHERE pg_temp.kind(pg_temp.row_key(%(seed)s, %(place)s, n), %(place)s, n) = 0
      AND pg_temp.kind(pg_temp.row_key(%(seed)s, %(other_place)s, n), %(other_place)s, n) = 0
    ORDER BY n
    LIMIT 1 + %(rows)s / 400
)
UPDATE audit AS t SET id = pg_temp.uuid_of(%(seed)s, %(other_label)s, pair.n)
FROM pair
WHERE t.id = pg_temp.uuid_of(%(seed)s, %(label)s, pair.n)
