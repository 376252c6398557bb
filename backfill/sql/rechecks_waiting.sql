-- Per source: how many keys wait, how many may be tried now, and how often the worst has failed.
SELECT r.source_id,
       count(*) AS waiting,
       count(*) FILTER (WHERE r.not_before IS NULL OR r.not_before <= clock_timestamp()) AS due,
       min(r.id) AS oldest,
       max(r.id) AS newest,
       max(r.attempts) AS worst
  FROM changeover.recheck AS r
 WHERE r.source_id = ANY ($1::int[])
 GROUP BY r.source_id
