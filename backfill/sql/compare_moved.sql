-- Looks for certain keys in the whole table, in one snapshot: rows that differed and have since moved to a page that was compared before.
WITH found AS MATERIALIZED (
    SELECT f.key, f.kind, f.columns, f.expected, f.actual
      FROM {pages} AS f
     WHERE f.kind <> 'counted' AND f.key = ANY ($6::text[])
), judged AS MATERIALIZED (
    SELECT f.*,
           EXISTS (SELECT FROM changeover.queue AS r
                    WHERE r.source_id = ANY ($3::int[]) AND (r.key IS NULL OR r.key = f.key)) AS pending
      FROM found AS f
), kept AS (
    INSERT INTO changeover.difference (verification_id, source, key, kind, columns, expected, actual)
    SELECT $4, $5, j.key, j.kind, coalesce(j.columns, ARRAY[]::text[]), j.expected, j.actual
      FROM judged AS j
     WHERE NOT j.pending
       AND NOT EXISTS (SELECT FROM changeover.difference AS d
                        WHERE d.verification_id = $4 AND d.source = $5 AND d.key = j.key AND d.kind = j.kind
                          AND d.columns = coalesce(j.columns, ARRAY[]::text[]))
)
SELECT count(*) FILTER (WHERE j.pending) AS pending FROM judged AS j
