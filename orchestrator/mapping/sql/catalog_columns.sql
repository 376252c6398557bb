-- Live columns in order. A domain is shown by the type below it, at the bottom of all domains: casts and packing go by
-- that. What any of the domains requires or gives by default, the column does.
SELECT
    a.attrelid::bigint,
    a.attname,
    a.attnum::int,
    b.typname,
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    a.atttypmod::int,
    a.attnotnull OR coalesce(m.required, false),
    CASE WHEN a.attgenerated = '' THEN coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), m.given) END,
    a.attidentity::text,
    CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
    b.typtype::text,
    CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(b.oid, NULL) END,
    (SELECT pg_catalog.format('%%I.%%I', n.nspname, l.collname)
     FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
     WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN LATERAL (
    WITH RECURSIVE below AS (
        SELECT 1 AS depth, t.typbasetype AS next, t.typnotnull AS required, t.typdefaultbin AS given WHERE t.typtype = 'd'
        UNION ALL
        SELECT w.depth + 1, n.typbasetype, n.typnotnull, n.typdefaultbin
        FROM below w JOIN pg_catalog.pg_type n ON n.oid = w.next AND n.typtype = 'd'
    )
    SELECT
        bool_or(w.required) AS required,
        (array_agg(w.next ORDER BY w.depth DESC))[1] AS bottom,
        (array_agg(pg_catalog.pg_get_expr(w.given, 0) ORDER BY w.depth) FILTER (WHERE w.given IS NOT NULL))[1] AS given
    FROM below w
) m ON true
JOIN pg_catalog.pg_type b ON b.oid = coalesce(m.bottom, t.oid)
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY (%(oids)s::bigint[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
