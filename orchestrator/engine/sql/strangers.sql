-- Who else may create objects in these schemas, or may create the schema itself where the search path names one that is
-- not there. Not counted: superusers, this role with whoever may become it, the roles that it belongs to, and the owner of
-- the database, who can set everybody's search path anyway. A superuser is a member of every role, so for one only its own
-- name counts. `pg_database_owner` stands for whoever that is.
SELECT w.name AS schema,
       CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END AS who,
       CASE WHEN n.oid IS NULL THEN 'database' WHEN g.owns THEN 'owner' ELSE 'grant' END AS by
FROM unnest(%(names)s::text[]) AS w (name)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.name
JOIN pg_catalog.pg_database AS d ON d.datname = current_database()
JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
CROSS JOIN LATERAL (
    SELECT a.grantee, false AS owns
    FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS a
    WHERE n.oid IS NOT NULL AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
    UNION
    SELECT n.nspowner, true WHERE n.oid IS NOT NULL
    UNION
    SELECT a.grantee, false
    FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
    WHERE n.oid IS NULL AND w.name = ANY (%(path)s::text[]) AND a.privilege_type = 'CREATE'
) AS g
WHERE g.grantee = 0 OR EXISTS (
    SELECT FROM pg_catalog.pg_roles AS r
    WHERE pg_has_role(r.oid, CASE g.grantee WHEN 'pg_database_owner'::regrole::oid THEN d.datdba ELSE g.grantee END, 'MEMBER')
      AND NOT r.rolsuper AND r.rolname !~ '^pg_'
      AND NOT pg_has_role(r.oid, me.oid, 'MEMBER') AND NOT pg_has_role(r.oid, d.datdba, 'MEMBER')
      AND NOT (pg_has_role(me.oid, r.oid, 'MEMBER') AND NOT me.rolsuper)
)
ORDER BY 1, 3, 2
