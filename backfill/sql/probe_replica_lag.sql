-- No replica: 0. A replica that is caught up and idle has a NULL lag, which is 0 as well; one whose state is NULL is hidden from this role
-- (pg_read_all_stats shows it), which is unreadable. A base backup is no replica.
SELECT CASE WHEN bool_or(r.state IS NULL) THEN NULL
            ELSE coalesce(max(extract(epoch FROM r.replay_lag)) FILTER (WHERE r.state <> 'backup'), 0)
       END::float8
  FROM pg_catalog.pg_stat_replication AS r
