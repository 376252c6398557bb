-- How the next key of a column is drawn: from its identity's or its default's sequence, or whatever its default is. The
-- caller has an empty path, so that the names in the default are told with their schemas.
SELECT CASE
    WHEN a.attidentity <> '' THEN
        format('pg_catalog.nextval(%%L::pg_catalog.regclass)', pg_get_serial_sequence(%(table)s, %(column)s))
    ELSE pg_get_expr(d.adbin, d.adrelid)
END
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %(oid)s AND a.attname = %(column)s
