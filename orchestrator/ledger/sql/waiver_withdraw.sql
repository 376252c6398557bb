-- A stage is taken back: nobody has answered for its rejects any more, nor for those of the whole plan.
WITH gone AS (
    DELETE FROM changeover.waiver AS w
     WHERE w.run_id = %(run)s AND (w.stage IS NULL OR w.stage = %(stage)s)
),
opened AS (
    UPDATE changeover.reject AS r
       SET state = 'open', waived_by = NULL, waived_reason = NULL, waived_at = NULL
     WHERE r.state = 'waived' AND r.stage = %(stage)s
       AND r.source_id IN (SELECT s.id FROM changeover.source AS s JOIN changeover.mapping AS m ON m.id = s.mapping_id
                            WHERE m.plan = %(plan)s)
    RETURNING r.id
)
SELECT count(*) FROM opened
