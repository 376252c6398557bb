-- What discovery and drift depend on, as one short text: every table's name, the columns of the sources, and the sources as they
-- are registered. Temporary tables are left out, applications make them all the time.
SELECT md5(concat(
    (SELECT string_agg(concat_ws(' ', c.oid, n.nspname, c.relname, c.relkind), E'\n' ORDER BY c.oid)
     FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')),
    (SELECT string_agg(concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped), E'\n'
                       ORDER BY a.attrelid, a.attnum)
     FROM pg_catalog.pg_attribute a
     WHERE a.attnum > 0 AND a.attrelid IN (SELECT s.oid FROM changeover.source s)),
    (SELECT string_agg(concat_ws(' ', s.id, s.oid, s.discriminators, s.fingerprint, s.state = 'found'), E'\n' ORDER BY s.id)
     FROM changeover.source s)
))
