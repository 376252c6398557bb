-- The schemas in which a plan creates its tables, and those that Changeover makes itself.
SELECT w.name, n.oid IS NOT NULL AS there, coalesce(has_schema_privilege(n.oid, 'CREATE'), false) AS may_create
FROM unnest(%(names)s::text[]) AS w (name)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.name
ORDER BY w.name
