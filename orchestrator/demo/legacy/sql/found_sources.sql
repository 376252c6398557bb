-- The audit tables that scorecards name and that exist: by the very name, or as schema.name. A view counts
-- too: after contract the legacy name belongs to one.
SELECT n.nspname AS schema, c.relname AS name, n.nspname || '.' || c.relname AS label,
       count(*) AS scorecards,
       (SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, NULL))
        FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM public.scorecards AS s
JOIN pg_class AS c ON c.relkind IN ('r', 'p', 'v')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
    AND ((n.nspname = 'public' AND c.relname = s.table_name) OR n.nspname || '.' || c.relname = s.table_name)
GROUP BY c.oid, n.nspname, c.relname
-- The order in which a mapping takes them: of two rows with one id, the one of the later table loses.
ORDER BY c.relname COLLATE "C", n.nspname COLLATE "C"
