-- The size of the tables that the ledger or the catalog knows under these names; an archived one keeps its name here.
SELECT w.name, pg_catalog.pg_relation_size(c.oid)
FROM unnest(%(names)s::text[]) AS w (name)
JOIN pg_catalog.pg_class AS c ON c.oid = coalesce(
    (SELECT min(s.oid::bigint)::oid FROM changeover.source AS s WHERE s.name = w.name),
    (SELECT k.oid FROM pg_catalog.pg_class AS k JOIN pg_catalog.pg_namespace AS n ON n.oid = k.relnamespace
     WHERE n.nspname || '.' || k.relname = w.name AND k.relkind IN ('r', 'p')))
