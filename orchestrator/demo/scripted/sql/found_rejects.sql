-- Rows that the migration could not take: by table, mapping and reason.
SELECT r.source, m.name, r.reason, count(*)
FROM changeover.reject r
JOIN changeover.source s ON s.id = r.source_id
JOIN changeover.mapping m ON m.id = s.mapping_id
GROUP BY r.source, m.name, r.reason
