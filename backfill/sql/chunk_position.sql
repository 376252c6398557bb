-- FOR UPDATE although nothing is changed: a transaction whose COMMIT was sent over a connection that is lost may still be
-- at it in the server, and only waiting for its lock tells what became of it.
SELECT next_page, end_page, rows_seen, rows_copied, rows_rejected
  FROM changeover.chunk
 WHERE source_id = $1 AND chunk = $2
   FOR UPDATE
