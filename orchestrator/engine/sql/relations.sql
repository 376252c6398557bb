-- Every relation that somebody could wait for: none of PostgreSQL's own, none of ours.
SELECT c.oid::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'changeover')
  AND n.nspname !~ '^pg_(toast|temp)'
