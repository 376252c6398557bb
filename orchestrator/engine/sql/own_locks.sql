-- The strong locks on tables that our sessions hold or wait for, and who waits behind them, at this moment.
SELECT coalesce(n.nspname || '.' || c.relname, l.relation::text) AS relation, l.mode, l.pid, l.granted,
       coalesce((
           SELECT extract(epoch FROM clock_timestamp() - min(w.waitstart))::float
           FROM pg_catalog.pg_locks AS w
           WHERE NOT w.granted AND w.relation = l.relation AND w.database = l.database AND w.pid <> l.pid
             AND l.granted AND l.pid = ANY (pg_blocking_pids(w.pid))
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS x
                             WHERE x.pid = w.pid AND x.application_name LIKE 'changeover/%')
       ), 0) AS others_wait_s
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND a.datname = current_database() AND a.application_name LIKE 'changeover/%'
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ShareUpdateExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('changeover', 'pg_catalog', 'pg_toast')
