-- What the new tables promise: every constraint is validated (no orphan can be there), every index is usable
-- (no duplicate can be there).
SELECT 'constraint ' || x.conname || ' on ' || x.conrelid::regclass AS check, x.convalidated AS ok
FROM pg_catalog.pg_constraint x
JOIN changeover.mapping m ON m.target_oid = x.conrelid
WHERE m.plan = %(plan)s AND m.stage = %(stage)s AND x.contype IN ('c', 'f')
UNION ALL
SELECT 'index ' || i.indexrelid::regclass, i.indisvalid AND i.indisready
FROM pg_catalog.pg_index i
JOIN changeover.mapping m ON m.target_oid = i.indrelid
WHERE m.plan = %(plan)s AND m.stage = %(stage)s
ORDER BY 1
