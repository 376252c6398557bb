-- What a view under the old name takes over of each column of the table: name, default, comment; then the comment of the
-- table itself, under no name.
SELECT a.attname::text,
       CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
       pg_catalog.col_description(a.attrelid, a.attnum)
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT NULL, NULL, pg_catalog.obj_description(%(oid)s, 'pg_class')
