-- Where keys wait to be derived again: how many, since when, and what hindered the last that failed.
SELECT s.id, s.name, m.name, count(*), min(c.created_at),
       (array_agg(c.last_error ORDER BY c.id DESC) FILTER (WHERE c.last_error IS NOT NULL))[1]
FROM changeover.queue c
JOIN changeover.source s ON s.id = c.source_id
JOIN changeover.mapping m ON m.id = s.mapping_id
WHERE m.plan = %(plan)s OR %(plan)s::text IS NULL
GROUP BY s.id, m.id ORDER BY s.id
