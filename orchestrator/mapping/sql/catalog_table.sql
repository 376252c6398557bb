-- One relation as the catalog has it. reltuples is -1 before the first ANALYZE.
SELECT n.nspname, c.relname, c.relkind::text, c.relfilenode::bigint, greatest(c.reltuples, 0)::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %(oid)s
