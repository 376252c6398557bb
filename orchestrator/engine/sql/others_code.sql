-- Code of others that this role would run: on the tables that its mirrors write, and behind what they read. First what is there: functions that
-- another role can change and that run with the caller's rights (a SECURITY DEFINER function has those of its owner). A trigger, a CHECK, a
-- default, an index and a rule call them for whoever writes the table, a view and a policy for whoever reads it, a cast and the CHECK of a domain wherever a
-- value of the type is converted. Then who may put more of it there.
-- Not another's is what belongs to a superuser, to a role that has this one's rights, or to one that this one belongs to; also to a member of
-- one that owns the table, where this role is a member as well.
WITH RECURSIVE me AS MATERIALIZED (SELECT r.oid, r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user),
reached (root, oid, written) AS (
    SELECT c.oid, c.oid, c.oid = ANY (%(written)s::oid[]) FROM pg_catalog.pg_class AS c WHERE c.oid = ANY (%(written)s::oid[] || %(read)s::oid[])
    UNION
    SELECT r.root, d.refobjid, false
      FROM reached AS r
      JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = r.oid AND w.ev_type = '1'
      JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.oid
),
types (root, oid) AS (
    SELECT r.root, a.atttypid FROM reached AS r JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT t.root, x.oid
      FROM types AS t
      JOIN pg_catalog.pg_type AS y ON y.oid = t.oid
     CROSS JOIN LATERAL (
        SELECT y.typelem UNION SELECT y.typbasetype UNION SELECT g.rngsubtype FROM pg_catalog.pg_range AS g WHERE g.rngtypid = y.oid
        UNION SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
               WHERE a.attrelid = y.typrelid AND y.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped) AS x (oid)
     WHERE x.oid <> 0
),
calls (root, what, function) AS (
    SELECT r.root, format('trigger %%I', t.tgname), t.tgfoid
      FROM reached AS r JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal AND t.tgenabled NOT IN ('D', 'R')
     WHERE r.written
    UNION ALL
    SELECT r.root, o.what, d.refobjid
      FROM reached AS r
     CROSS JOIN LATERAL (
        SELECT 'pg_constraint'::regclass, c.oid, format('constraint %%I', c.conname) FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = r.oid AND r.written
        UNION ALL
        SELECT 'pg_attrdef'::regclass, f.oid, format('the default of column %%I', a.attname)
          FROM pg_catalog.pg_attrdef AS f JOIN pg_catalog.pg_attribute AS a ON (a.attrelid, a.attnum) = (f.adrelid, f.adnum)
         WHERE f.adrelid = r.oid AND r.written
        UNION ALL
        SELECT 'pg_class'::regclass, i.indexrelid, format('index %%s', i.indexrelid::regclass)
          FROM pg_catalog.pg_index AS i WHERE i.indrelid = r.oid AND r.written
        UNION ALL
        SELECT 'pg_policy'::regclass, p.oid, format('policy %%I', p.polname)
          FROM pg_catalog.pg_policy AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid AND c.relrowsecurity
         WHERE p.polrelid = r.oid AND NOT pg_has_role(c.relowner, 'USAGE')
        UNION ALL
        SELECT 'pg_rewrite'::regclass, w.oid, CASE w.ev_type WHEN '1' THEN format('view %%s', r.oid::regclass) ELSE format('rule %%I', w.rulename) END
          FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = r.oid AND (w.ev_type = '1' OR r.written)
     ) AS o (class, oid, what)
      JOIN pg_catalog.pg_depend AS d ON d.classid = o.class AND d.objid = o.oid AND d.refclassid = 'pg_proc'::regclass
    UNION ALL
    SELECT t.root, format('the cast of type %%s', format_type(t.oid, NULL)), k.castfunc
      FROM types AS t JOIN pg_catalog.pg_cast AS k ON t.oid IN (k.castsource, k.casttarget) AND k.castfunc <> 0
     WHERE t.oid >= 16384  -- made here
    UNION ALL
    SELECT t.root, format('the CHECK of domain %%s', format_type(t.oid, NULL)), d.refobjid
      FROM types AS t
      JOIN pg_catalog.pg_constraint AS c ON c.contypid = t.oid
      JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_proc'::regclass
)
SELECT f.oid, f.what, f.function, CASE f.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(f.role)) END AS who
  FROM (
    SELECT c.root AS oid, c.what, p.oid::regprocedure::text AS function, p.proowner AS role
      FROM calls AS c JOIN pg_catalog.pg_proc AS p ON p.oid = c.function AND NOT p.prosecdef
    UNION
    SELECT r.root, r.oid::regclass::text, NULL, c.relowner FROM reached AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.oid
    UNION
    SELECT t.root, format('type %%s', format_type(t.oid, NULL)), NULL, y.typowner
      FROM types AS t JOIN pg_catalog.pg_type AS y ON y.oid = t.oid AND y.typelem = 0
    UNION
    SELECT c.oid, 'TRIGGER', NULL, a.grantee
      FROM pg_catalog.pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
     WHERE c.oid = ANY (%(written)s::oid[]) AND a.privilege_type = 'TRIGGER'
  ) AS f
  JOIN pg_catalog.pg_class AS c ON c.oid = f.oid
 CROSS JOIN me
 WHERE f.role = 0
    OR NOT (pg_has_role(f.role, me.oid, 'MEMBER')
            OR NOT me.rolsuper AND pg_has_role(me.oid, f.role, 'USAGE')
            OR f.oid = ANY (%(written)s::oid[]) AND (f.function IS NOT NULL OR f.what = 'TRIGGER') AND pg_has_role(f.role, c.relowner, 'USAGE'))
 ORDER BY 1, 2, 3, 4
