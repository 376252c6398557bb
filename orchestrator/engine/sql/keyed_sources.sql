-- The sources of a plan whose rows a table holds, where a row of it tells its old key.
SELECT z.id, z.name
FROM changeover.source AS z
JOIN changeover.mapping AS m ON m.id = z.mapping_id
WHERE m.plan = %(plan)s AND m.target_oid = to_regclass(%(table)s)
    AND to_regprocedure('changeover.m' || z.id || '_key(' || m.target_oid::regclass || ')') IS NOT NULL
ORDER BY z.id
