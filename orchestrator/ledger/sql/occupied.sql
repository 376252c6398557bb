-- Anything in a schema `changeover` that we did not install?
SELECT c.relname
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace = pg_catalog.to_regnamespace('changeover') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
 ORDER BY c.relname
 LIMIT 1
