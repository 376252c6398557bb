-- How often the archived tables were read and written, and how often the new tables were written that they are mirrors of,
-- by the server's counters; with what was seen when they were looked at last.
SELECT s.oid::bigint AS oid, min(m.plan) AS plan, min(s.name) AS name,
       max(pg_stat_get_numscans(s.oid) + coalesce(i.scans, 0))::bigint AS reads,
       max(pg_stat_get_tuples_inserted(s.oid) + pg_stat_get_tuples_updated(s.oid) + pg_stat_get_tuples_deleted(s.oid))::bigint AS writes,
       sum(pg_stat_get_tuples_inserted(m.target_oid) + pg_stat_get_tuples_updated(m.target_oid)
           + pg_stat_get_tuples_deleted(m.target_oid))::bigint AS new_writes,
       max(u.reads)::bigint AS reads_before, max(u.writes)::bigint AS writes_before, max(u.new_writes)::bigint AS new_writes_before,
       (extract(epoch FROM clock_timestamp() - max(u.quiet_since)) / 3600)::float AS quiet_hours, max(u.words) AS words,
       max(u.since) AS since, coalesce(max(u.pids), '{}') AS pids
FROM changeover.source AS s
JOIN changeover.mapping AS m ON m.id = s.mapping_id
LEFT JOIN LATERAL (
    SELECT sum(pg_stat_get_numscans(x.indexrelid)) AS scans FROM pg_catalog.pg_index AS x WHERE x.indrelid = s.oid
) AS i ON true
LEFT JOIN changeover.old_use AS u ON u.oid = s.oid
WHERE s.state = 'archived' AND (%(plan)s::text IS NULL OR m.plan = %(plan)s)
  AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = s.oid)
GROUP BY s.oid
ORDER BY 1
