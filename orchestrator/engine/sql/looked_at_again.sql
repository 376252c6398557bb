-- In how many seconds the next note is looked at again that a looked-up row has left: the first look is done, and the second
-- one waits for transactions that were under way.
SELECT greatest(extract(epoch FROM min(q.not_before) - clock_timestamp()), 0)::float8
  FROM changeover.queue AS q
  JOIN changeover.source AS s ON s.id = q.source_id
  JOIN changeover.mapping AS m ON m.id = s.mapping_id
 WHERE q.key IS NULL AND q.last_error IS NULL AND q.not_before < clock_timestamp() + interval '1 second'
   AND (%(plan)s::text IS NULL OR m.plan = %(plan)s)
