-- The views that go with these sources: the compatibility views, and those that contract has put under the old names.
-- Each of the latter reads its archived table and nothing else.
SELECT v.oid::bigint AS oid, n.nspname, v.relname
FROM pg_catalog.pg_class v
JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
WHERE v.relkind = 'v' AND EXISTS (
    SELECT FROM changeover.source s
    WHERE s.id = ANY (%(sources)s::int[])
      AND ((n.nspname, v.relname) = (%(compat)s, s.view_name)
           OR ((n.nspname, v.relname) = (s.schema_name, s.table_name) AND ARRAY[s.oid::oid] = ARRAY(
               SELECT DISTINCT d.refobjid
               FROM pg_catalog.pg_rewrite r
               JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
               WHERE r.ev_class = v.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid)))
)
ORDER BY 2, 3
