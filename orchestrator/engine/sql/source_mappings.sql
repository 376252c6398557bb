-- By which mapping each source is read: one table may be the source of several.
SELECT s.id, m.name
FROM changeover.source s
JOIN changeover.mapping m ON m.id = s.mapping_id
WHERE m.plan = %(plan)s
