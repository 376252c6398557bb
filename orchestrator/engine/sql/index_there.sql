-- What stands under the name of an index: whether it is a valid one, and its definition, NULL where it is no index.
SELECT coalesce(i.indisvalid, false), pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.oid = to_regclass(%(index)s)
