-- How many of the tables are being vacuumed or analyzed, seen by the lock that takes: pg_stat_progress_vacuum hides the worker from ordinary roles.
SELECT count(DISTINCT l.relation)::float8
  FROM pg_catalog.pg_locks AS l
 WHERE l.locktype = 'relation'
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND l.relation = ANY ($1::oid[])
   AND l.granted
   AND l.mode = 'ShareUpdateExclusiveLock'
   AND l.pid <> ALL ($2::int[])
