-- Columns that a source had when it was compiled, and has no more. Its compatibility view remembers them: it stands in
-- schema compat or, after contract, under the table's old name.
SELECT v.attname::text
FROM changeover.source s
JOIN pg_catalog.pg_class c ON c.relkind = 'v' AND c.relname = s.view_name
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'compat'
JOIN pg_catalog.pg_attribute v ON v.attrelid = c.oid AND v.attnum > 0 AND NOT v.attisdropped
WHERE s.id = %(id)s
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = s.oid AND a.attname = v.attname AND a.attnum > 0 AND NOT a.attisdropped)
ORDER BY v.attnum
