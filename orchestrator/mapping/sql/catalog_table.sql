-- Relations as the catalog has it. reltuples is -1 before the first ANALYZE.
-- A table with children, or a child, is of a kind of its own: its rows stand in several files, and what is written
-- through another table of the family sets off no trigger of this one.
-- The tablespace is named where we may put something there; everybody may into that of the database.
SELECT c.oid::bigint, n.nspname, c.relname,
       CASE WHEN c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
           THEN 'i' ELSE c.relkind::text END,
       c.relfilenode::bigint, greatest(c.reltuples, 0)::bigint,
       (SELECT t.spcname FROM pg_catalog.pg_database d
        JOIN pg_catalog.pg_tablespace t ON t.oid = coalesce(nullif(c.reltablespace, 0), d.dattablespace)
        WHERE d.datname = current_database()
          AND (t.oid = d.dattablespace OR has_tablespace_privilege(t.oid, 'CREATE'))),
       pg_catalog.pg_get_userbyid(c.relowner)::text, c.relrowsecurity, pg_catalog.row_security_active(c.oid),
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::bigint[]::oid[])
