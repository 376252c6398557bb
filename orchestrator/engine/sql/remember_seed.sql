-- The rows that this very transaction has put into a table: the seed's. What an application commits meanwhile is not.
INSERT INTO changeover.seed_row (relation, row)
SELECT {oid}, to_jsonb(x) FROM {table} AS x WHERE x.xmin = pg_current_xact_id()::xid
