-- Foreign keys to projects and users, and among the new tables, without an index that begins with their column.
SELECT c.conname, c.conrelid::regclass AS "table"
FROM pg_catalog.pg_constraint AS c
WHERE c.contype = 'f'
  AND c.conname LIKE 'FK\_%'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
