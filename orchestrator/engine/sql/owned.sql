-- Whether this role has the rights of a table's owner; nothing where the table has yet to be made.
SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE'), pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)),
       pg_catalog.quote_ident(current_user)
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = pg_catalog.to_regclass(%(table)s)
