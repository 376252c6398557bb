-- The mappings of a stage and the tables they fill, in order.
SELECT m.id, m.name, n.nspname, c.relname
FROM changeover.mapping m
JOIN pg_catalog.pg_class c ON c.oid = m.target_oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE m.plan = %(plan)s AND m.stage = %(stage)s
ORDER BY m.id
