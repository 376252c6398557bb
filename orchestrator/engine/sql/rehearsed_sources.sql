-- The old tables of each stage with what they hold, for predictions by size.
SELECT m.stage, s.name, greatest(c.reltuples, 0)::bigint AS rows, pg_catalog.pg_relation_size(c.oid) AS bytes
FROM changeover.source AS s
JOIN changeover.mapping AS m ON m.id = s.mapping_id
JOIN pg_catalog.pg_class AS c ON c.oid = s.oid
WHERE m.plan = %(plan)s
ORDER BY 1, 2
