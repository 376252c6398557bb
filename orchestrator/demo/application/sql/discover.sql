-- The audit tables, the way the application finds them: by what the scorecards name. Parameters are the
-- columns that the scorecard lists; whether the id is filled in by the database decides who makes it.
SELECT n.nspname AS schema, c.relname AS name, min(s.id::text) FILTER (WHERE s.is_active) AS scorecard,
       (SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, NULL))
        FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
       (SELECT a.atthasdef OR a.attidentity <> '' FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'id') AS makes_id,
       coalesce(array_agg(DISTINCT p.field_id) FILTER (WHERE p.field_id IS NOT NULL), '{}') AS parameters
FROM public.scorecards AS s
JOIN pg_class AS c ON c.relkind IN ('r', 'p', 'v')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
    AND ((n.nspname = 'public' AND c.relname = s.table_name) OR n.nspname || '.' || c.relname = s.table_name)
LEFT JOIN public.scorecard_perameters AS p ON p.scorecard_id = s.id
GROUP BY c.oid, n.nspname, c.relname
ORDER BY 1, 2
