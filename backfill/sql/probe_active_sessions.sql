-- Sessions inside a transaction, of anybody. pg_locks shows them to every role; each holds its virtual transaction's lock.
SELECT count(DISTINCT l.pid)::float8
  FROM pg_catalog.pg_locks AS l
 WHERE l.locktype = 'virtualxid'
   AND l.granted
   AND l.mode = 'ExclusiveLock'
   AND l.pid <> ALL ($1::int[])
   AND l.pid <> pg_catalog.pg_backend_pid()
