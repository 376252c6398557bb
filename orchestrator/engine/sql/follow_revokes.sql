-- A right that a role had on the table and no longer has on the view was taken from it by the view's name. The view has
-- never had others than these four (TRUNCATE, REFERENCES, TRIGGER mean nothing for it): they stay.
DO $changeover$
DECLARE
    given record;
BEGIN
    FOR given IN
        WITH rights AS (
            SELECT c.oid, NULL::text AS name, a.grantee, a.privilege_type
            FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
            WHERE a.grantee <> c.relowner
            UNION ALL
            SELECT c.oid, t.attname::text, a.grantee, a.privilege_type
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0
            CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) a
            WHERE a.grantee <> c.relowner
        )
        SELECT r.privilege_type AS privilege, r.name AS column_name,
               CASE r.grantee WHEN 0 THEN 'PUBLIC'
                   ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r.grantee)) END AS grantee
        FROM rights r
        LEFT JOIN (VALUES {pairs}) AS p (shown, stored) ON p.stored = r.name
        WHERE r.oid = {table}::regclass AND r.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') AND NOT EXISTS (
            SELECT FROM rights v
            WHERE v.oid = {view}::regclass AND v.grantee = r.grantee AND v.privilege_type = r.privilege_type
              AND v.name IS NOT DISTINCT FROM coalesce(p.shown, r.name)
        )
    LOOP
        EXECUTE pg_catalog.format('REVOKE %s%s ON %s FROM %s', given.privilege,
            CASE WHEN given.column_name IS NULL THEN '' ELSE pg_catalog.format(' (%I)', given.column_name) END, {table}::regclass, given.grantee);
    END LOOP;
END $changeover$
