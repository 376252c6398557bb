-- An audit table whose ids are uuids, which are kept.
SELECT count(*) FILTER (WHERE a.attname = 'employee_email') = 1
       AND count(*) FILTER (WHERE a.attname = 'id' AND a.atttypid = 'uuid'::regtype) = 1
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND a.attnum > 0 AND NOT a.attisdropped
