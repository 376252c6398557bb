-- The table whose pages are walked; a view or a foreign table is none. A partitioned one has no page of its own: only a
-- derive fills such a table, and what is wrong with its rows is found from the source's side.
SELECT c.oid, c.relkind <> 'p' AS paged
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'm', 'p')
