-- How many rows of a plan could not become new rows, by reason.
SELECT r.reason, count(*)
FROM changeover.reject AS r
JOIN changeover.source AS s ON s.id = r.source_id
JOIN changeover.mapping AS m ON m.id = s.mapping_id
WHERE m.plan = %(plan)s
GROUP BY 1
ORDER BY 1
