-- Whether an application's trigger changes or may change a row of the table before an UPDATE stores it.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid = %(oid)s AND NOT t.tgisinternal AND t.tgname NOT LIKE '~changeover%%'
      AND t.tgtype & 1 = 1 AND t.tgtype & 2 = 2 AND t.tgtype & 16 = 16)
