-- What the new tables promise: they are there, every constraint is validated (no orphan can be there), every index is
-- usable (no duplicate can be there). New tables are the targets of mappings, and those that the run at hand has made.
WITH made AS (
    SELECT m.target_oid AS oid
    FROM changeover.mapping m
    WHERE m.plan = %(plan)s AND m.stage = %(stage)s
    UNION
    SELECT c.oid
    FROM changeover.action a
    JOIN changeover.run r ON r.id = a.run_id AND r.plan = %(plan)s AND r.state IN ('active', 'finished')
    JOIN pg_catalog.pg_namespace n ON true
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
    WHERE a.stage = %(stage)s AND a.state = 'done' AND a.action_id = 'table ' || n.nspname || '.' || c.relname
)
SELECT a.action_id AS check, EXISTS (
           SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE a.action_id = 'table ' || n.nspname || '.' || c.relname
       ) AS ok
FROM changeover.action a
JOIN changeover.run r ON r.id = a.run_id AND r.plan = %(plan)s AND r.state IN ('active', 'finished')
WHERE a.stage = %(stage)s AND a.state = 'done' AND a.action_id LIKE 'table %%'
UNION ALL
SELECT 'constraint ' || x.conname || ' on ' || x.conrelid::regclass, x.convalidated
FROM pg_catalog.pg_constraint x
JOIN made ON made.oid = x.conrelid
WHERE x.contype IN ('c', 'f')
UNION ALL
SELECT 'index ' || i.indexrelid::regclass, i.indisvalid AND i.indisready
FROM pg_catalog.pg_index i
JOIN made ON made.oid = i.indrelid
ORDER BY 1
