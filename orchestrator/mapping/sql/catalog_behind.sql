-- The archived table whose name this view has. After contract a plan that names the table still means the table.
SELECT s.oid::bigint
FROM changeover.source s
JOIN pg_catalog.pg_class t ON t.oid = s.oid
JOIN pg_catalog.pg_namespace n ON n.nspname = s.schema_name
JOIN pg_catalog.pg_class v ON v.relnamespace = n.oid AND v.relname = s.table_name
WHERE v.oid = %(view)s AND v.relkind = 'v' AND s.state = 'archived'
LIMIT 1
