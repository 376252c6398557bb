-- The full btree indexes without expressions: their columns, and whether they are primary or unique.
SELECT
    i.indrelid::bigint,
    array_agg(a.attname::text ORDER BY k.ord),
    bool_or(i.indisprimary),
    bool_or(i.indisunique),
    bool_or(m.amname = 'btree')
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam
CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY AS k (attnum, ord)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = ANY (%(oids)s::bigint[]::oid[])
  AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND k.ord <= i.indnkeyatts
GROUP BY i.indrelid, i.indexrelid
ORDER BY bool_or(i.indisprimary) DESC, i.indexrelid
