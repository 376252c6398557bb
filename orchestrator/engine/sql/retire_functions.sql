-- The compiled functions of these sources and mappings.
SELECT p.oid::regprocedure::text
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = 'changeover'::regnamespace
  AND substring(p.proname FROM '^[mx][0-9]+(?=_)') = ANY (%(owners)s::text[])
ORDER BY 1
