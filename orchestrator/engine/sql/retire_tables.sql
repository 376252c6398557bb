-- The archived tables that still stand, with what they hold.
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name,
       greatest(c.reltuples, 0)::bigint AS rows, pg_catalog.pg_total_relation_size(c.oid) AS bytes
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(tables)s::oid[])
ORDER BY 2, 3
