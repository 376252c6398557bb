-- Open rejects that a waiver covers: written in a transaction that could not see the waiver yet.
UPDATE changeover.reject AS r
   SET state = 'waived', waived_by = w.waived_by, waived_reason = w.waived_reason, waived_at = clock_timestamp()
  FROM changeover.waiver AS w
 WHERE r.state = 'open' AND r.id > 0
   AND r.source_id IN (SELECT s.id FROM changeover.source AS s JOIN changeover.mapping AS m ON m.id = s.mapping_id
                        WHERE m.plan = %(plan)s)
   AND w.id = changeover.waiver_of(r.source_id, r.stage, r.source, r.key, r.reason)
