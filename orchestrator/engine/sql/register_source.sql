-- A source keeps its id and the name under which it was first seen; a new one comes last in precedence.
INSERT INTO changeover.source
    (mapping_id, name, schema_name, table_name, view_name, oid, discriminators, fingerprint, relfilenode, rows_estimated, ordinal)
SELECT %(mapping)s, %(name)s, %(schema)s, %(table)s, %(view)s, %(oid)s, %(discriminators)s, %(fingerprint)s, %(relfilenode)s, %(rows)s,
       coalesce(max(s.ordinal), 0) + 1
FROM changeover.source s WHERE s.mapping_id = %(mapping)s
ON CONFLICT (mapping_id, oid) DO UPDATE SET discriminators = EXCLUDED.discriminators
