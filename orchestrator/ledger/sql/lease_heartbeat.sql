-- A lease that has run out but that nobody took is prolonged: its epoch is still the last one. Backends that have
-- ended are forgotten, the one that speaks is remembered.
UPDATE changeover.lease
   SET heartbeat_at = clock_timestamp(),
       expires_at = clock_timestamp() + make_interval(secs => %(ttl)s),
       pids = ARRAY(SELECT DISTINCT a.pid FROM pg_catalog.pg_stat_activity AS a
                     WHERE a.pid = ANY (pids) OR a.pid = pg_catalog.pg_backend_pid())
 WHERE plan = %(plan)s AND epoch = %(epoch)s AND expires_at > '-infinity'
