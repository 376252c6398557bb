-- The next epoch; the row is locked by lease_lock.sql.
UPDATE changeover.lease
   SET owner = %(owner)s, epoch = epoch + 1, pids = ARRAY[pg_catalog.pg_backend_pid()],
       acquired_at = clock_timestamp(), heartbeat_at = clock_timestamp(),
       expires_at = clock_timestamp() + make_interval(secs => %(ttl)s)
 WHERE plan = %(plan)s AND epoch = %(epoch)s
RETURNING epoch
