-- The compatibility views of these sources, wherever they stand: a view of ours has our trigger.
SELECT DISTINCT n.nspname, c.relname
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid AND c.relkind = 'v'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = 'changeover'::regnamespace
WHERE p.proname = ANY (SELECT format('m%%s_view', id) FROM unnest(%(sources)s::int[]) AS id)
ORDER BY 1, 2
