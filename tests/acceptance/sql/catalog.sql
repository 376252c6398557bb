-- What is in the application's schemas: of each relation its columns, indexes, constraints and comments, a line each; functions.
WITH place AS (
    SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
    WHERE n.nspname NOT IN ('changeover', 'compat', 'archive', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
),
relation AS (
    SELECT c.oid, c.relkind, format('%I.%I', p.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN place p ON p.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v')
)
SELECT CASE r.relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || r.name AS relation, '' AS line FROM relation r
UNION ALL
SELECT 'table ' || r.name,
       format('column %I %s%s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
              CASE WHEN a.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\(|_next_number\(' THEN ' numbered'
                   WHEN d.oid IS NOT NULL THEN ' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) ELSE '' END)
FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind <> 'v'
UNION ALL
SELECT 'table ' || r.name,
       replace(replace(replace(pg_catalog.pg_get_indexdef(i.indexrelid), 'CREATE ', ''), ' USING btree', ''), ' ON ' || r.name, '')
FROM relation r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'table ' || r.name, replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID', '')
FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'u', 'f', 'c')
UNION ALL
SELECT 'table ' || r.name, format('comment%s: %s', ' ' || a.attname, d.description)
FROM relation r JOIN pg_catalog.pg_description d ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
UNION ALL
SELECT 'view ' || r.name, 'column ' || a.attname
FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
WHERE r.relkind = 'v'
UNION ALL
SELECT format('function %I.%I', p.nspname, f.proname), '' FROM pg_catalog.pg_proc f JOIN place p ON p.oid = f.pronamespace
