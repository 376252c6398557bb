-- The sequences that belong to a column of a relation (serial, OWNED BY), with the column. The sequence of an identity is
-- a part of its table, and not among them.
SELECT n.nspname::text, s.relname::text, a.attname::text
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.refobjid = %(oid)s AND d.deptype = 'a'
ORDER BY 1, 2
