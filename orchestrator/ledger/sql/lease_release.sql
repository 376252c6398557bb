UPDATE changeover.lease
   SET expires_at = '-infinity', pids = '{}', heartbeat_at = clock_timestamp()
 WHERE plan = %(plan)s AND epoch = %(epoch)s AND expires_at > '-infinity'
