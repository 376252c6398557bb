-- Code of others on a table: whoever writes the table runs it with the rights that he has, and a mirror writes with those of its owner.
-- First what is there: triggers whose function another role can change, and that has not the rights of the table's owner already (a
-- SECURITY DEFINER function runs with its own owner's rights). Then who may put more of it there.
SELECT c.oid AS oid, t.tgname::text AS trigger, p.oid::regprocedure::text AS function, quote_ident(pg_get_userbyid(p.proowner)) AS who
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled NOT IN ('D', 'R')
  JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid AND NOT p.prosecdef
 WHERE c.oid = ANY (%(oids)s::oid[])
   AND NOT pg_has_role(p.proowner, c.relowner, 'USAGE')
UNION ALL
SELECT DISTINCT c.oid, NULL, NULL, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
  FROM pg_catalog.pg_class AS c
 CROSS JOIN LATERAL aclexplode(c.relacl) AS a
 WHERE c.oid = ANY (%(oids)s::oid[]) AND a.privilege_type = 'TRIGGER'
   AND (a.grantee = 0 OR NOT pg_has_role(a.grantee, c.relowner, 'USAGE'))
 ORDER BY 1, 2, 4
