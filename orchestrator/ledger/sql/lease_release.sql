-- Only under our own epoch: who took the lease over meanwhile keeps it.
UPDATE changeover.lease
   SET expires_at = '-infinity', pids = '{}', heartbeat_at = clock_timestamp()
 WHERE plan = %(plan)s AND epoch = %(epoch)s AND expires_at > '-infinity'
