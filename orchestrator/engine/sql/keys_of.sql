-- The foreign keys that these tables have, each as its definition reads, and whether the server holds it for every row.
SELECT n.nspname, c.relname, x.conname, pg_catalog.pg_get_constraintdef(x.oid) AS rule, x.convalidated
FROM pg_catalog.pg_constraint AS x
JOIN pg_catalog.pg_class AS c ON c.oid = x.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE x.contype = 'f' AND x.conparentid = 0 AND x.conrelid = ANY (%(tables)s::oid[])
ORDER BY 1, 2, 3
