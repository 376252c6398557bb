-- Scorecards that lead to no table: without a name, or with one that no table has.
SELECT CASE WHEN s.table_name IS NULL THEN 'no_name' ELSE 'no_table' END AS code,
       coalesce(s.table_name, s.name) AS subject
FROM public.scorecards AS s
WHERE s.table_name IS NULL
   OR NOT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                  WHERE c.relkind IN ('r', 'p', 'v')
                    AND ((n.nspname = 'public' AND c.relname = s.table_name) OR n.nspname || '.' || c.relname = s.table_name))
ORDER BY 1, 2
