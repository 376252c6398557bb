-- The tables and sequences that are in the schema before this version is installed.
SELECT c.oid::bigint
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace = pg_catalog.to_regnamespace('changeover') AND c.relkind IN ('r', 'S')
