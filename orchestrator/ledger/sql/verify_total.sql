-- What the ranges of a verification compared, added up: old rows, each with what became of it (of the ranges of the new tables, x, those
-- that nothing became).
-- The parameter: the verification.
SELECT coalesce(sum(rows) FILTER (WHERE scope NOT LIKE 'x%%'), 0)::bigint AS rows, coalesce(sum(differences), 0)::bigint AS differences
  FROM changeover.verify_range
 WHERE verification_id = %s
