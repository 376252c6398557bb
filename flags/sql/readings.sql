-- What was compared, per read, over all versions of the flag that are still kept.
SELECT r.flag, r.read, sum(r.compared)::bigint, sum(r.mismatches)::bigint, sum(r.errors)::bigint, sum(r.late)::bigint,
       (SELECT array_agg(t ORDER BY n) FROM (SELECT n, sum(x)::bigint AS t FROM changeover.flag_reading AS i,
               unnest(i.old_ms) WITH ORDINALITY AS u (x, n) WHERE i.flag = r.flag AND i.read = r.read GROUP BY n) AS s),
       (SELECT array_agg(t ORDER BY n) FROM (SELECT n, sum(x)::bigint AS t FROM changeover.flag_reading AS i,
               unnest(i.new_ms) WITH ORDINALITY AS u (x, n) WHERE i.flag = r.flag AND i.read = r.read GROUP BY n) AS s)
  FROM changeover.flag_reading AS r
 WHERE (%(flag)s::text IS NULL OR r.flag = %(flag)s) AND (%(read)s::text IS NULL OR r.read = %(read)s)
 GROUP BY r.flag, r.read
 ORDER BY r.flag, r.read
