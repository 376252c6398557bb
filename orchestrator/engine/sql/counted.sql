-- The counting rule and what waits, in one snapshot: a key that waits stands on one side only.
SELECT
    c.legacy,
    c.migrated,
    c.rejected,
    c.exempt,
    (
        SELECT count(*)
        FROM changeover.queue r
        JOIN changeover.source z ON z.id = r.source_id
        JOIN changeover.mapping m ON m.id = z.mapping_id
        WHERE m.plan = %(plan)s
    ) AS waiting
FROM changeover.count_rows(%(source)s) c
