-- The view of that name, if it reads that table and nothing else: the one that contract has made.
SELECT v.oid::bigint
FROM pg_catalog.pg_class v
JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
WHERE n.nspname = %(schema)s AND v.relname = %(name)s AND v.relkind = 'v'
  AND ARRAY[%(table)s::oid] = ARRAY(
      SELECT DISTINCT d.refobjid
      FROM pg_catalog.pg_rewrite r
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
      WHERE r.ev_class = v.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid)
