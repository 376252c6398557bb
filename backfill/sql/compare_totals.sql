-- Added up from the ranges, so that a comparison that was resumed counts what was compared before.
SELECT coalesce(sum(r.rows) FILTER (WHERE r.scope LIKE 'm%'), 0)::bigint AS source_rows,
       coalesce(sum(r.rows) FILTER (WHERE r.scope LIKE 'x%'), 0)::bigint AS target_rows,
       count(*) AS ranges
  FROM changeover.verify_range AS r
 WHERE r.verification_id = $1 AND r.scope = ANY ($2::text[])
