-- Whether the index that stands is on the table that is meant, and is what its twin on the empty copy is: the
-- definitions without the names of index and table. Gives the definition that stands.
SELECT i.indrelid = to_regclass(%(table)s)
       AND regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX .*? USING ', '\1 USING ')
         = regexp_replace(pg_catalog.pg_get_indexdef('changeover.changeover_twin'::regclass),
                          '^CREATE (UNIQUE )?INDEX .*? USING ', '\1 USING '),
       pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i
WHERE i.indexrelid = to_regclass(%(index)s)
