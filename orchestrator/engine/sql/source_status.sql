-- Each source with the sum of its chunks, its rejects as they are now and the queued keys that wait.
SELECT s.name, m.name AS mapping, s.state,
       CASE WHEN s.state IN ('copied', 'archived') THEN 100.0
            ELSE coalesce(round(100.0 * sum(l.next_page - l.first_page) / nullif(sum(l.end_page - l.first_page), 0), 1), 0)
       END::float8 AS percent,
       coalesce(sum(l.end_page - l.first_page), 0)::bigint AS pages,
       coalesce(sum(l.rows_seen), 0)::bigint AS rows_seen,
       coalesce(sum(l.rows_copied), 0)::bigint AS rows_copied,
       coalesce(sum(l.rows_rejected), 0)::bigint AS rows_rejected,
       (SELECT count(*) FROM changeover.reject r WHERE r.source_id = s.id AND r.id > 0) AS rejects,
       (SELECT count(*) FROM changeover.queue c WHERE c.source_id = s.id AND c.id > 0) AS queue
FROM changeover.source s
JOIN changeover.mapping m ON m.id = s.mapping_id
LEFT JOIN changeover.chunk l ON l.source_id = s.id
WHERE m.plan = %(plan)s AND m.stage = %(stage)s
GROUP BY s.id, m.id
ORDER BY m.id, s.ordinal
