-- Per source, of one direction or both, with notes of lookups or without: how many keys wait, how many may be tried now, and how often the worst has failed (last_error begins with the SQLSTATE).
SELECT r.source_id,
       count(*) AS waiting,
       count(*) FILTER (WHERE r.not_before IS NULL OR r.not_before <= clock_timestamp()) AS due,
       min(r.id) AS oldest,
       max(r.id) AS newest,
       -- Being in somebody's way is no failure: those keys get their turn when he is done.
       coalesce(max(r.attempts) FILTER (WHERE left(r.last_error, 5) NOT IN ('55P03', '40P01', '40001')), 0) AS worst
  FROM changeover.queue AS r
 WHERE r.source_id = ANY ($1::int[]) AND ($2::text IS NULL OR r.direction = $2)
   AND ($3::boolean OR r.key IS NOT NULL OR (r.patch ? 'changes') IS NOT TRUE OR r.direction = 'reverse')
 GROUP BY r.source_id
