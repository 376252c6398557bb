-- The keys to name in an error, the longest tried first.
SELECT r.key, r.attempts, r.last_error
  FROM changeover.queue AS r
 WHERE r.source_id = $1 AND ($2::text IS NULL OR r.direction = $2)
 ORDER BY r.attempts DESC, r.id
 LIMIT 10
