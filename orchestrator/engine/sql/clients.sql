-- The clients that are connected to this database, without our own.
SELECT coalesce(array_agg(a.pid ORDER BY a.pid), '{}')
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = current_database() AND a.usename IS NOT NULL AND a.application_name NOT LIKE 'changeover/%'
