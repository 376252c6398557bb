-- The triggers of these sources and mappings: on the old tables, on the new ones, and on those that lookups read.
SELECT t.tgname, n.nspname, c.relname
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = 'changeover'::regnamespace
-- A fixed function is told by the trigger whose it is.
WHERE coalesce(substring(p.proname FROM '^[mx][0-9]+(?=_)'), split_part(encode(t.tgargs, 'escape'), '\000', 1)) = ANY (%(owners)s::text[])
  AND NOT t.tgisinternal
  AND t.tgparentid = 0
ORDER BY 2, 3, 1
