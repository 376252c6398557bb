-- Everything that is exported, as (name, labels, value): one statement, one snapshot, so that the numbers belong
-- together. The names and the order of the labels are those of orchestrator.observability.state.FAMILIES.
WITH latest AS (
    SELECT DISTINCT ON (r.plan) r.* FROM changeover.run AS r ORDER BY r.plan, r.id DESC
), copied AS (
    SELECT m.plan, m.stage, s.name AS source, s.state, s.id,
           max(greatest(s.rows_estimated, 0)) AS estimated,
           sum(l.rows_seen) AS seen, sum(l.rows_copied) AS copied,
           sum(l.end_page - l.first_page) AS pages, sum(l.next_page - l.first_page) AS pages_done,
           max(l.updated_at) AS at
      FROM changeover.source AS s
      JOIN changeover.mapping AS m ON m.id = s.mapping_id
      LEFT JOIN changeover.chunk AS l ON l.source_id = s.id
     GROUP BY s.id, m.id
), by_source AS (
    -- One table can be the source of several mappings of a stage: its name stands once in the labels.
    SELECT plan, stage, source, max(estimated)::float8 AS estimated, coalesce(max(seen), 0)::float8 AS seen,
           coalesce(max(copied), 0)::float8 AS copied, coalesce(max(pages), 0)::float8 AS pages,
           coalesce(max(pages_done), 0)::float8 AS pages_done, bool_and(state IN ('copied', 'archived')) AS done,
           min(state) AS state
      FROM copied GROUP BY plan, stage, source
), checked AS (
    -- The last finished one, which is what gates ask for; one that is under way, or was killed, says nothing yet.
    SELECT DISTINCT ON (v.plan, v.stage) v.*
      FROM changeover.verification AS v WHERE v.state <> 'running' ORDER BY v.plan, v.stage, v.id DESC
), checking AS (
    SELECT v.plan, v.stage, bool_or(v.state = 'running') AS running,
           max(greatest(v.started_at, v.ended_at, (SELECT max(g.at) FROM changeover.verify_range AS g
                                                   WHERE g.verification_id = v.id AND v.state = 'running'))) AS at
      FROM changeover.verification AS v GROUP BY v.plan, v.stage
), ours AS (
    SELECT pid FROM pg_catalog.pg_stat_activity
     WHERE datname = current_database() AND starts_with(application_name, 'changeover/')
), waiting AS (
    SELECT c.plan, c.stage, c.source, count(k.id) AS keys, min(k.created_at) AS oldest
      FROM copied AS c LEFT JOIN changeover.queue AS k ON k.source_id = c.id
     GROUP BY c.plan, c.stage, c.source
), progress AS (
    SELECT plan, max(at) AS at
      FROM (SELECT plan, at FROM copied
            UNION ALL
            SELECT r.plan, greatest(p.started_at, p.ended_at, (SELECT max(a.done_at) FROM changeover.action AS a
                                                              WHERE (a.run_id, a.stage, a.phase) = (p.run_id, p.stage, p.phase)))
              FROM latest AS r JOIN changeover.phase AS p ON p.run_id = r.id
            UNION ALL
            SELECT plan, at FROM checking) AS every
     GROUP BY plan
), refreshed AS (
    -- The materialized views that a plan keeps young: what the last refresh has noted of each.
    SELECT DISTINCT ON (e.plan, v.view) e.plan, v.view, coalesce((e.detail ->> 'as_of')::timestamptz, e.at) AS as_of,
           (e.detail ->> 'due')::timestamptz AS due, make_interval(secs => 60 * (e.detail ->> 'minutes_after_writes')::float8) AS patience,
           e.detail ->> 'minutes_after_writes' IS NOT NULL
               AND e.detail ->> 'writes' IS DISTINCT FROM changeover.writes_read_by(to_regclass(v.view)) AS behind
      FROM changeover.event AS e CROSS JOIN LATERAL (SELECT e.detail ->> 'view' AS view) AS v
     WHERE e.kind = 'view.refreshed' AND e.plan IS NOT NULL AND to_regclass(v.view) IS NOT NULL
     ORDER BY e.plan, v.view, e.at DESC
), lags AS (
    SELECT bool_or(r.state IS NULL) AS hidden,
           coalesce(max(extract(epoch FROM r.replay_lag)) FILTER (WHERE r.state <> 'backup'), 0)::float8 AS lag
      FROM pg_catalog.pg_stat_replication AS r
)
SELECT 'run_state' AS name, ARRAY[plan, kind, state] AS labels, 1::float8 AS value FROM latest
UNION ALL
SELECT 'phase_state', ARRAY[r.plan, p.stage, p.phase, known.state], (known.state = p.state)::int
  FROM latest AS r JOIN changeover.phase AS p ON p.run_id = r.id
 CROSS JOIN unnest(ARRAY['pending', 'running', 'done', 'failed', 'stopped', 'going_back', 'rolled_back']) AS known (state)
UNION ALL
SELECT 'phase_seconds', ARRAY[r.plan, p.stage, p.phase],
       extract(epoch FROM coalesce(p.ended_at, clock_timestamp()) - p.started_at)
  FROM latest AS r JOIN changeover.phase AS p ON p.run_id = r.id
 WHERE p.started_at IS NOT NULL
UNION ALL SELECT 'source_state', ARRAY[plan, stage, source, state], 1 FROM by_source
UNION ALL SELECT 'rows_estimated', ARRAY[plan, stage, source], greatest(estimated, seen) FROM by_source
UNION ALL SELECT 'rows_processed', ARRAY[plan, stage, source], seen FROM by_source
UNION ALL SELECT 'rows_migrated', ARRAY[plan, stage, source], copied FROM by_source
UNION ALL
SELECT 'rows_remaining', ARRAY[plan, stage, source],
       CASE WHEN done THEN 0
            WHEN pages_done > 0 AND seen > 0 THEN round(seen * (pages - pages_done) / pages_done)
            ELSE coalesce(estimated, 0) END
  FROM by_source
UNION ALL SELECT 'pages_estimated', ARRAY[plan, stage, source], pages FROM by_source
UNION ALL SELECT 'pages_processed', ARRAY[plan, stage, source], pages_done FROM by_source
UNION ALL SELECT 'queue_waiting', ARRAY[plan, stage, source], keys FROM waiting
UNION ALL
SELECT 'queue_oldest_seconds', ARRAY[plan, stage], coalesce(extract(epoch FROM clock_timestamp() - min(oldest)), 0)
  FROM waiting GROUP BY plan, stage
UNION ALL
SELECT 'rejects', ARRAY[m.plan, m.stage, r.reason, r.state], count(*)
  FROM changeover.reject AS r
  JOIN changeover.source AS s ON s.id = r.source_id
  JOIN changeover.mapping AS m ON m.id = s.mapping_id
 GROUP BY m.plan, m.stage, r.reason, r.state
UNION ALL
SELECT 'exemptions', ARRAY[v.plan, v.stage, each ->> 'source'], sum(coalesce((each ->> 'exempt')::bigint, 0))
  FROM checked AS v, jsonb_array_elements(coalesce(v.detail -> 'counts', '[]')) AS each
 GROUP BY v.plan, v.stage, each ->> 'source'
UNION ALL
SELECT 'exemptions_by_rule', ARRAY[v.plan, v.stage, e.rule], e.rows::float8
  FROM checked AS v, jsonb_each_text(coalesce(v.detail -> 'exempt', '{}')) AS e (rule, rows)
UNION ALL SELECT 'verify_clean', ARRAY[plan, stage], (state = 'clean')::int FROM checked
UNION ALL SELECT 'verify_running', ARRAY[plan, stage], running::int FROM checking
UNION ALL SELECT 'verify_rows', ARRAY[plan, stage], rows_compared FROM checked
UNION ALL
SELECT 'verify_mismatches', ARRAY[v.plan, v.stage, d.kind], count(*)
  FROM checked AS v JOIN changeover.difference AS d ON d.verification_id = v.id
 GROUP BY v.plan, v.stage, d.kind
UNION ALL
SELECT 'verify_end_timestamp_seconds', ARRAY[plan, stage], extract(epoch FROM ended_at)
  FROM checked WHERE ended_at IS NOT NULL
UNION ALL
SELECT 'flag_stage', ARRAY[f.flag, known.stage], (known.stage = f.stage)::int
  FROM changeover.feature_flags AS f
 CROSS JOIN unnest(ARRAY['off', 'dualwrite', 'shadow', 'live', 'rampdown', 'complete']) AS known (stage)
UNION ALL SELECT 'flag_rollout_percent', ARRAY[flag], rollout FROM changeover.feature_flags
UNION ALL SELECT 'flag_changes', ARRAY[flag], version FROM changeover.feature_flags
UNION ALL SELECT 'flag_held', ARRAY[flag], (hold IS NOT NULL)::integer FROM changeover.feature_flags
UNION ALL
SELECT 'flag_retreats', ARRAY[f.flag], (SELECT count(*) FROM changeover.flag_history AS h WHERE h.flag = f.flag AND h.actor = 'guard')
  FROM changeover.feature_flags AS f
UNION ALL
SELECT 'flag_shadow_reads', ARRAY[r.flag, r.read, n.result], sum(n.reads)
  FROM changeover.flag_reading AS r
  JOIN changeover.feature_flags AS f ON (f.flag, f.version) = (r.flag, r.version)
 CROSS JOIN LATERAL (VALUES ('compared', r.compared), ('different', r.mismatches), ('failed', r.errors), ('late', r.late)) AS n (result, reads)
 GROUP BY r.flag, r.read, n.result
UNION ALL SELECT 'lease_held', ARRAY[plan], (expires_at > clock_timestamp())::int FROM changeover.lease
UNION ALL SELECT 'lease_epoch', ARRAY[plan], epoch FROM changeover.lease
UNION ALL
SELECT 'lease_age_seconds', ARRAY[plan], extract(epoch FROM clock_timestamp() - heartbeat_at)
  FROM changeover.lease WHERE expires_at > '-infinity'
UNION ALL
SELECT 'last_progress_timestamp_seconds', ARRAY[plan], extract(epoch FROM at) FROM progress WHERE at IS NOT NULL
UNION ALL SELECT 'job_paused', ARRAY[plan], (request = 'pause')::int FROM changeover.control
UNION ALL
SELECT 'refresh_age_seconds', ARRAY[plan, view], extract(epoch FROM clock_timestamp() - as_of) FROM refreshed
UNION ALL
SELECT 'refresh_overdue_seconds', ARRAY[plan, view],
       greatest(0, extract(epoch FROM clock_timestamp() - least(due, CASE WHEN behind THEN as_of + patience END)))
  FROM refreshed
UNION ALL SELECT 'warnings', ARRAY[plan, stage, code], count(*) FROM changeover.warning GROUP BY plan, stage, code
UNION ALL
SELECT 'lock_waits', ARRAY['own'], count(DISTINCT l.pid)
  FROM pg_catalog.pg_locks AS l JOIN ours AS o ON o.pid = l.pid WHERE NOT l.granted
UNION ALL
SELECT 'lock_waits', ARRAY['behind'], count(DISTINCT l.pid)
  FROM pg_catalog.pg_locks AS l
 WHERE NOT l.granted AND l.pid NOT IN (SELECT o.pid FROM ours AS o)
   AND pg_catalog.pg_blocking_pids(l.pid) && ARRAY(SELECT o.pid FROM ours AS o)
UNION ALL SELECT 'replication_lag_seconds', ARRAY[]::text[], lag FROM lags WHERE hidden IS NOT TRUE
UNION ALL SELECT 'replication_lag_readable', ARRAY[]::text[], (hidden IS NOT TRUE)::int FROM lags
