-- Live columns in order. A domain is shown by the type below it: casts and packing go by that.
SELECT
    a.attname,
    a.attnum::int,
    coalesce(nullif(b.typname, ''), t.typname),
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    a.atttypmod::int,
    a.attnotnull,
    CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
    a.attidentity::text,
    CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
    coalesce(b.typtype, t.typtype)::text,
    b.oid IS NOT NULL,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%'
        AND pg_catalog.pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
