-- The stage is taken back altogether: its mappings, sources and warnings go; runs, actions and events stay.
WITH gone AS (
    DELETE FROM changeover.source s USING changeover.mapping m
    WHERE m.id = s.mapping_id AND m.plan = %(plan)s AND m.stage = %(stage)s
    RETURNING s.id
),
warnings AS (
    DELETE FROM changeover.warning f WHERE f.plan = %(plan)s AND f.stage = %(stage)s
)
SELECT count(*) FROM gone
