-- The registered sources whose table is still there.
SELECT s.id, s.oid::bigint, s.ordinal, s.discriminators, s.name, s.view_name, s.schema_name
FROM changeover.source s
JOIN pg_catalog.pg_class c ON c.oid = s.oid
WHERE s.mapping_id = %(mapping)s
ORDER BY s.ordinal
