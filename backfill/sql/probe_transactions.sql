-- Every open transaction of others, with its age where this role may see it.
SELECT l.virtualtransaction AS id,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'virtualxid'
   AND l.granted
   AND l.mode = 'ExclusiveLock'
   AND l.pid <> ALL ($1::int[])
   AND l.pid <> pg_catalog.pg_backend_pid()
