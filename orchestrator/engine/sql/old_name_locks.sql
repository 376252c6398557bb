-- Transactions that use one of these views at this moment. The mirrors never do: they know the table behind it.
SELECT DISTINCT l.pid
FROM pg_catalog.pg_locks AS l
WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.relation = ANY (%(views)s::oid[]) AND l.pid <> pg_backend_pid()
ORDER BY 1
