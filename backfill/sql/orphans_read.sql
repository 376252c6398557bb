-- What the search for orphans said of the rows of a target.
SELECT array_agg(d.actual::text ORDER BY d.id) AS rows
  FROM changeover.difference AS d
 WHERE d.verification_id = $1 AND d.source = $2 AND d.kind = 'orphan' AND d.actual IS NOT NULL
