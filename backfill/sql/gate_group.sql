-- All sources of a merge derive the same target rows, so they have one lock together; others have their own.
SELECT CASE WHEN m.kind = 'merge' THEN -m.id ELSE s.id END
  FROM changeover.source AS s
  JOIN changeover.mapping AS m ON m.id = s.mapping_id
 WHERE s.id = $1
