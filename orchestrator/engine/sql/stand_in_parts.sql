-- What a new table has beside its columns, as statements: its sequences first, its own keys and indexes after it.
SELECT p.first, p.text
FROM (
    SELECT true AS first, 1 AS rank, format('CREATE SEQUENCE %%I.%%I AS %%s', n.nspname, s.relname, format_type(q.seqtypid, NULL)) AS text
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refobjid = %(oid)s AND d.deptype = 'a'
    UNION ALL
    SELECT false, 1, format('ALTER SEQUENCE %%I.%%I OWNED BY %%s.%%I', n.nspname, s.relname, d.refobjid::regclass, a.attname)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refobjid = %(oid)s AND d.deptype = 'a'
    UNION ALL
    SELECT false, 2, format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = %(oid)s AND k.contype IN ('p', 'u', 'x') AND k.conparentid = 0
    UNION ALL
    SELECT false, 3, pg_get_indexdef(i.indexrelid)
    FROM pg_catalog.pg_index i WHERE i.indrelid = %(oid)s
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid)
) p
ORDER BY p.rank
