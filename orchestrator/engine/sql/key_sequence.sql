-- The sequence that numbers a column, by identity or by a default that asks it; and how it counts.
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, q.seqincrement AS step, q.seqmin AS lowest,
       q.seqmax AS highest, q.seqstart AS start, q.seqcache AS cache, q.seqcycle AS cycle
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
JOIN pg_catalog.pg_depend p ON
    (a.attidentity <> '' AND p.deptype = 'i' AND p.classid = 'pg_catalog.pg_class'::regclass
     AND p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum)
    OR (p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
        AND p.refclassid = 'pg_catalog.pg_class'::regclass)
JOIN pg_catalog.pg_class c ON c.relkind = 'S' AND c.oid IN (p.objid, p.refobjid)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence q ON q.seqrelid = c.oid
WHERE a.attrelid = %(oid)s AND a.attname = %(column)s
LIMIT 1
