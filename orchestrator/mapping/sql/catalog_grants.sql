-- What others than the owner may do with the rows of a table, as a GRANT says it: privilege, column (NULL for the whole
-- table), grantee (NULL for everybody), with the right to pass it on. The rest (REFERENCES, TRIGGER, TRUNCATE) means
-- nothing for a view that takes the table's place.
SELECT o.oid::bigint, g.privilege_type, a.attname::text, r.rolname::text, bool_or(g.is_grantable)
FROM (
    SELECT c.oid, c.relowner, NULL::smallint AS attnum, c.relacl AS acl
    FROM pg_catalog.pg_class c WHERE c.oid = ANY (%(oids)s::bigint[]::oid[])
    UNION ALL
    SELECT c.oid, c.relowner, a.attnum, a.attacl
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.oid = ANY (%(oids)s::bigint[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
) o
CROSS JOIN LATERAL aclexplode(o.acl) g
LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND a.attnum = o.attnum
WHERE g.grantee <> o.relowner
  AND (g.grantee = 0 OR r.oid IS NOT NULL)
  AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
GROUP BY 1, 2, 3, 4
ORDER BY 1, 4 NULLS FIRST, 3 NULLS FIRST, 2
