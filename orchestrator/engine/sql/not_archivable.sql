-- Why a copy of a table would not be right: row-level security hides rows from its owner.
SELECT 'row-level security hides rows from the owner'
FROM pg_catalog.pg_class AS c
WHERE c.oid = to_regclass(%(table)s) AND c.relforcerowsecurity
