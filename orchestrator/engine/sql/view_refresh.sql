-- A materialized view: whether it is there and was ever filled, whether it can be refreshed beside its readers (that takes a
-- unique index over whole rows), the moment whose rows it holds as this plan has filled it, and whether a table that it reads
-- has been written since.
SELECT
    v.oid IS NOT NULL AS there,
    coalesce(v.relispopulated, false) AS populated,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = v.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
          AND i.indpred IS NULL AND 0 <> ALL (i.indkey::smallint[])
    ) AS keyed,
    clock_timestamp() AS now,
    last.as_of,
    m.writes,
    m.writes IS DISTINCT FROM last.writes AS behind
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_class AS v ON v.oid = to_regclass(%(name)s) AND v.relkind = 'm'
LEFT JOIN LATERAL (
    SELECT coalesce((e.detail ->> 'as_of')::timestamptz, e.at) AS as_of, e.detail ->> 'writes' AS writes
    FROM changeover.event AS e
    WHERE e.plan = %(plan)s AND e.kind = 'view.refreshed' AND e.detail ->> 'view' = %(view)s
    ORDER BY e.at DESC LIMIT 1
) AS last ON true
CROSS JOIN LATERAL (SELECT changeover.writes_read_by(v.oid::regclass) AS writes) AS m
