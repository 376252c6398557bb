-- Where each lane of a source stands: a resume goes on from here.
SELECT lane, first_page, next_page, end_page, rows_seen, rows_copied, rows_rejected
  FROM changeover.lane
 WHERE source_id = $1
 ORDER BY lane
