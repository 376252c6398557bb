-- The sources of all mappings of a plan, wherever they are by now.
SELECT s.oid::bigint
FROM changeover.source s
JOIN changeover.mapping m ON m.id = s.mapping_id
WHERE m.plan = %(plan)s
