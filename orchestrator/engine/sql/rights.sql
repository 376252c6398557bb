-- What others may do to the rows of a table, as statements that let them do it to the view that takes its place.
-- Rights on single columns count too; the owner of both is the same.
SELECT format('GRANT %%s%%s ON %%s TO %%s%%s',
              r.privilege_type,
              coalesce(' (' || quote_ident(r.attname) || ')', ''),
              %(view)s::text,
              CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(r.grantee)) END,
              CASE WHEN r.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (
    SELECT c.relowner, NULL::name AS attname, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.oid = %(table)s::oid
    UNION ALL
    SELECT c.relowner, x.attname, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute x ON x.attrelid = c.oid AND x.attnum > 0 AND NOT x.attisdropped
    CROSS JOIN pg_catalog.aclexplode(x.attacl) a
    WHERE c.oid = %(table)s::oid
) r
WHERE r.grantee <> r.relowner AND r.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
ORDER BY 1
