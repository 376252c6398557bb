-- Why a copy of a table would not be right: row-level security hides rows from its owner, or a column has a type that is
-- neither PostgreSQL's own nor an extension's, so that the way back may have to drop it.
SELECT CASE WHEN c.relforcerowsecurity THEN 'row-level security hides rows from the owner'
            ELSE 'column ' || a.attname || ' has the type ' || pg_catalog.format_type(a.atttypid, a.atttypmod) END
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type AS e ON e.oid = coalesce(nullif(t.typelem, 0), t.oid)
WHERE c.oid = to_regclass(%(table)s)
  AND (c.relforcerowsecurity
       OR (e.typnamespace <> 'pg_catalog'::regnamespace AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend AS d
           WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = e.oid AND d.deptype = 'e')))
ORDER BY a.attnum
LIMIT 1
