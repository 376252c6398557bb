-- The names that compatibility views have, whatever plan made them: a table keeps the one it was given first.
SELECT DISTINCT ON (s.oid) s.oid::bigint, s.view_name FROM changeover.source s WHERE s.view_name <> '' ORDER BY s.oid, s.id
