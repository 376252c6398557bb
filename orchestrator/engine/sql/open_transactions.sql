-- The transactions of this database that are open now, ours left out. pg_locks shows them to every role; a worker of
-- autovacuum belongs to no user.
SELECT l.virtualtransaction, l.pid
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted
   AND a.datname = current_database() AND a.usesysid IS NOT NULL AND l.pid <> pg_backend_pid()
