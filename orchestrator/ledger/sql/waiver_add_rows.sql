-- Each of these waived rejects is remembered by its row: it is waived again when the row is written and rejected anew.
INSERT INTO changeover.waiver (run_id, stage, source, source_id, key, reason, waived_by, waived_reason)
SELECT DISTINCT u.id, r.stage, r.source, r.source_id, r.key, r.reason, r.waived_by, r.waived_reason
  FROM changeover.reject AS r
  JOIN changeover.source AS s ON s.id = r.source_id
  JOIN changeover.mapping AS m ON m.id = s.mapping_id
  JOIN changeover.run AS u ON u.plan = m.plan AND u.state IN ('active', 'finished')
 WHERE r.id = ANY (%(ids)s) AND r.key IS NOT NULL
