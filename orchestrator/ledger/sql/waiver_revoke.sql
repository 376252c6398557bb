-- What covers these rejects by their row goes, and they are open again.
WITH chosen AS (
    SELECT r.id, r.source_id, r.key, r.reason FROM changeover.reject AS r WHERE r.id = ANY (%(ids)s)
),
gone AS (
    DELETE FROM changeover.waiver AS w USING chosen AS c
     WHERE w.key = c.key AND w.source_id = c.source_id AND w.reason = c.reason
)
UPDATE changeover.reject AS r
   SET state = 'open', waived_by = NULL, waived_reason = NULL, waived_at = NULL
  FROM chosen AS c
 WHERE r.id = c.id AND r.state = 'waived'
