-- The stage is taken back altogether: its mappings, sources and warnings go; runs, actions and events stay.
WITH gone AS (
    DELETE FROM changeover.source s USING changeover.mapping m
    WHERE m.id = s.mapping_id AND m.plan = %(plan)s AND m.stage = %(stage)s
    RETURNING s.id
),
seeded AS (
    DELETE FROM changeover.seed_row r WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = r.relation)
),
warnings AS (
    DELETE FROM changeover.warning f WHERE f.plan = %(plan)s AND f.stage = %(stage)s
)
SELECT count(*) FROM gone
