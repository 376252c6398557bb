-- The CHECK constraints of a table: which columns each speaks of, and its condition.
SELECT x.conname, ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.conrelid AND a.attnum = ANY (x.conkey)),
    pg_catalog.pg_get_expr(x.conbin, x.conrelid)
FROM pg_catalog.pg_constraint x
WHERE x.conrelid = %(oid)s AND x.contype = 'c'
ORDER BY x.conname
