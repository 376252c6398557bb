-- Compare-and-set on the end: the cut lies behind whatever the chunk's worker has in flight, and both halves come to be in one
-- statement, so no page is ever in two chunks or in none.
WITH cut AS (
    UPDATE changeover.chunk
       SET end_page = $4, updated_at = clock_timestamp()
     WHERE source_id = $1 AND chunk = $2 AND end_page = $3 AND next_page <= $4
    RETURNING source_id
)
INSERT INTO changeover.chunk (source_id, chunk, first_page, next_page, end_page, rows_seen, rows_copied, rows_rejected, updated_at)
SELECT cut.source_id,
       (SELECT max(l.chunk) + 1 FROM changeover.chunk AS l WHERE l.source_id = cut.source_id),
       $4, $4, $3, 0, 0, 0, clock_timestamp()
  FROM cut
RETURNING chunk
