-- The waivers of a reason that a choice of rejects meets, the oldest first, with how many rejects each covers now.
-- A waiver of a whole plan, or of every source, meets a choice of one of them.
-- %(plan)s, %(stage)s, %(source)s, %(reason)s: the choice; NULL does not restrict it.
SELECT w.id, run.plan, w.stage, w.source, w.reason, w.waived_by, w.waived_reason, w.created_at,
       (SELECT count(*)
          FROM changeover.reject AS r
          JOIN changeover.source AS s ON s.id = r.source_id
          JOIN changeover.mapping AS m ON m.id = s.mapping_id
         WHERE m.plan = run.plan
           AND r.reason = w.reason
           AND (w.stage IS NULL OR w.stage = r.stage)
           AND (w.source IS NULL OR w.source = r.source)) AS rejects
  FROM changeover.waiver AS w
  JOIN changeover.run AS run ON run.id = w.run_id
 WHERE w.key IS NULL
   AND run.state IN ('active', 'finished')
   AND (%(plan)s::text IS NULL OR run.plan = %(plan)s)
   AND (%(stage)s::text IS NULL OR w.stage IS NULL OR w.stage = %(stage)s)
   AND (%(source)s::text IS NULL OR w.source IS NULL OR w.source = %(source)s)
   AND (%(reason)s::text IS NULL OR w.reason = %(reason)s)
 ORDER BY w.id
