SELECT d.source, d.kind = 'ghost' AS ghost, array_agg(DISTINCT d.key) FILTER (WHERE d.key IS NOT NULL) AS keys
  FROM changeover.difference AS d
 WHERE d.verification_id = $1
 GROUP BY d.source, d.kind = 'ghost'
 ORDER BY 1, 2
