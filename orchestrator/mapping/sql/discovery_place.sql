-- Where tables that were found by a name in data are, and whose they are.
SELECT c.oid::bigint, n.nspname, c.relpersistence = 't', pg_has_role(c.relowner, 'USAGE'), pg_get_userbyid(c.relowner)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::bigint[]::oid[])
