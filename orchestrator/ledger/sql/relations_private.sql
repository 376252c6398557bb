-- Those that this version has made are for their owner, whatever default privileges give to others.
SELECT changeover.keep_private(c.oid::regclass, true)
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace = 'changeover'::regnamespace AND c.relkind IN ('r', 'S') AND c.oid::bigint <> ALL (%(known)s::bigint[])
