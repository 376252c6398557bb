-- Where keys wait to be derived again: how many, since when, and what hindered the last that failed. Where none has failed, a changed
-- looked-up row may wait for its second look, until those have ended who were at work then (C20): who they are.
SELECT s.id, s.name, m.name, count(*), min(c.created_at),
       coalesce((array_agg(c.last_error ORDER BY c.id DESC) FILTER (WHERE c.last_error IS NOT NULL))[1],
                (SELECT '55P03 waits for the end of ' || string_agg(DISTINCT format('pid %%s (%%s)', a.pid, concat_ws(', ', a.usename, a.state)), ', ')
                   FROM changeover.queue q
                  CROSS JOIN LATERAL jsonb_array_elements_text(q.patch -> 'others') AS o (one)
                   JOIN pg_catalog.pg_locks l ON l.locktype IN ('virtualxid', 'transactionid') AND l.mode = 'ExclusiveLock' AND l.granted
                                             AND coalesce(l.virtualxid, l.transactionid::text) = o.one
                   JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                  WHERE q.source_id = s.id AND q.id > 0 AND q.key IS NULL AND q.patch ? 'others'))
FROM changeover.queue c
JOIN changeover.source s ON s.id = c.source_id
JOIN changeover.mapping m ON m.id = s.mapping_id
WHERE m.plan = %(plan)s OR %(plan)s::text IS NULL
GROUP BY s.id, m.id ORDER BY s.id
