-- Clients that were connected when the names of the old tables changed hands, and still are. What another role's connection
-- began at is hidden from an ordinary one; then its number must be among those that were there.
SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?')::text AS who
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = current_database() AND a.usename IS NOT NULL AND a.pid <> pg_backend_pid()
  AND a.application_name NOT LIKE 'changeover/%%'
  AND (a.backend_start < %(since)s OR (a.backend_start IS NULL AND a.pid = ANY (%(pids)s::int[])))
ORDER BY 1
