-- Which registered sources still have their table.
SELECT DISTINCT s.oid::bigint AS oid
FROM changeover.source s
JOIN changeover.mapping m ON m.id = s.mapping_id
JOIN pg_catalog.pg_class c ON c.oid = s.oid
WHERE m.plan = %(plan)s
