-- Schemas of ours in which nothing stands.
SELECT n.nspname
FROM pg_catalog.pg_namespace n
WHERE (n.nspname IN ('compat', 'archive') OR n.nspname LIKE 'archive\_%%')
  AND pg_catalog.pg_has_role(n.nspowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.typnamespace = n.oid)
