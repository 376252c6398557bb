-- The sources of a stage with their mappings and tables.
SELECT s.id, m.name, n.nspname, c.relname
FROM changeover.source s
JOIN changeover.mapping m ON m.id = s.mapping_id
JOIN pg_catalog.pg_class c ON c.oid = s.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE m.plan = %(plan)s AND m.stage = %(stage)s AND s.state <> 'found'
ORDER BY s.id
