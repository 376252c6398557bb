-- A mapping keeps its id; its target may be another table after a rollback and a new expand.
INSERT INTO changeover.mapping (plan, stage, name, kind, target, target_oid, one_way, shares_rows)
VALUES (%(plan)s, %(stage)s, %(name)s, %(kind)s, %(target)s, %(oid)s, %(one_way)s, %(shares_rows)s)
ON CONFLICT (plan, stage, name) DO UPDATE SET target = EXCLUDED.target, target_oid = EXCLUDED.target_oid,
    one_way = EXCLUDED.one_way, shares_rows = EXCLUDED.shares_rows
RETURNING id
