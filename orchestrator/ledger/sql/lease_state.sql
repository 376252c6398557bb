-- The lease as it stands, judged by the server's clock. `abandoned`: it has not run out, but none of the backends that
-- were working under it is left; its process is dead or cut off, so nobody need wait for the clock. That it may come
-- back is what the fence is for.
SELECT plan, owner, epoch, pids, acquired_at, heartbeat_at, nullif(expires_at, '-infinity') AS expires_at,
       CASE WHEN expires_at = '-infinity' THEN 'released'
            WHEN expires_at <= clock_timestamp() THEN 'expired'
            WHEN cardinality(pids) > 0 AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = ANY (l.pids)) THEN 'abandoned'
            ELSE 'held' END AS state
  FROM changeover.lease AS l
 WHERE plan = %(plan)s
