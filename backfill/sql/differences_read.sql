-- `hint`: of a orphan in the target, the column list may name the source that the row claims to come from.
SELECT d.source, d.columns[1] AS hint, array_agg(DISTINCT d.key) FILTER (WHERE d.key IS NOT NULL) AS keys
  FROM changeover.difference AS d
 WHERE d.verification_id = $1
 GROUP BY d.source, d.columns[1]
 ORDER BY d.source, d.columns[1]
