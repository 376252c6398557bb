-- What the ranges of a verification compared, added up.
-- The parameter: the verification.
SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(sum(differences), 0)::bigint AS differences
  FROM changeover.verify_range
 WHERE verification_id = %s
