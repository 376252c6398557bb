-- Sessions of others in a transaction. pg_locks shows everybody's to every role, pg_stat_activity at least whose they are:
-- the server's own (autovacuum works nearly all the time on a table being filled) are nobody's.
SELECT count(DISTINCT l.pid)
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'virtualxid'
   AND l.granted
   AND l.mode = 'ExclusiveLock'
   AND a.usesysid IS NOT NULL
   AND l.pid <> ALL ($1::int[])
