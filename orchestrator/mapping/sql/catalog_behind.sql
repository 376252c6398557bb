-- The archived tables whose names these views have. After contract a plan that names the table still means the table.
SELECT v.oid::bigint, min(s.oid::bigint)
FROM changeover.source s
JOIN pg_catalog.pg_class t ON t.oid = s.oid
JOIN pg_catalog.pg_namespace n ON n.nspname = s.schema_name
JOIN pg_catalog.pg_class v ON v.relnamespace = n.oid AND v.relname = s.table_name
WHERE v.oid = ANY (%(views)s::bigint[]::oid[]) AND v.relkind = 'v' AND s.state = 'archived'
GROUP BY v.oid
