-- Where each chunk of a source stands: a resume goes on from here.
SELECT chunk, first_page, next_page, end_page, rows_seen, rows_copied, rows_rejected
  FROM changeover.chunk
 WHERE source_id = $1
 ORDER BY chunk
