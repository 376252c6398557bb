-- A materialized view: whether it is there and was ever filled, whether it can be refreshed beside its readers (that takes a
-- unique index over whole rows), and the seconds since this plan refreshed it.
SELECT
    v.oid IS NOT NULL AS there,
    coalesce(v.relispopulated, false) AS populated,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = v.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
          AND i.indpred IS NULL AND 0 <> ALL (i.indkey::smallint[])
    ) AS keyed,
    (
        SELECT extract(epoch FROM clock_timestamp() - max(e.at))::double precision
        FROM changeover.event AS e
        WHERE e.plan = %(plan)s AND e.kind = 'view.refreshed' AND e.detail ->> 'view' = %(view)s
    ) AS age
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_class AS v ON v.oid = to_regclass(%(name)s) AND v.relkind = 'm'
