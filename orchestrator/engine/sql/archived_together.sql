-- The tables that go to the archive, and come back, with this one: the sources of a merge read each other.
SELECT DISTINCT o.oid::bigint, o.ordinal
FROM changeover.source z
JOIN changeover.mapping m ON m.id = z.mapping_id
JOIN changeover.source o ON o.oid = z.oid OR (m.kind = 'merge' AND o.mapping_id = z.mapping_id)
WHERE z.oid = %(oid)s AND m.plan = %(plan)s
ORDER BY o.ordinal, 1
