-- Who waits for a lock, and whom for: every session of this database that is blocked, with each of its blockers.
-- Queries are shown as they are in pg_stat_activity, which hides those of other roles from a role without the right.
SELECT w.pid, coalesce(w.application_name, '') AS application, coalesce(w.usename, '') AS role,
       extract(epoch FROM clock_timestamp() - w.query_start)::float8 AS seconds,
       coalesce(w.query, '') AS query, coalesce(l.locked, '') AS locked, coalesce(l.mode, '') AS mode,
       starts_with(coalesce(w.application_name, ''), 'changeover/') AS ours,
       b.pid AS blocker, coalesce(b.application_name, '') AS blocker_application,
       coalesce(b.usename, '') AS blocker_role, coalesce(b.state, '') AS blocker_state,
       extract(epoch FROM clock_timestamp() - b.xact_start)::float8 AS blocker_seconds,
       coalesce(b.query, '') AS blocker_query
  FROM pg_catalog.pg_stat_activity AS w
 CROSS JOIN LATERAL unnest(pg_catalog.pg_blocking_pids(w.pid)) AS p (pid)
  JOIN pg_catalog.pg_stat_activity AS b ON b.pid = p.pid
  LEFT JOIN LATERAL (
       SELECT coalesce(k.relation::regclass::text, k.locktype) AS locked, k.mode
         FROM pg_catalog.pg_locks AS k
        WHERE k.pid = w.pid AND NOT k.granted
        ORDER BY k.relation NULLS LAST LIMIT 1) AS l ON true
 WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
 ORDER BY w.query_start, w.pid, b.pid
 LIMIT 200
