-- The rows and the word of how far they reach, in one statement and one round trip. The chunk is moved only from where we believe it
-- stands; no row back means that it does not stand there. The file of the heap is read after the function has run: the function holds
-- a lock on the table, so the file that is named here is the one whose pages were read, and stays it until the commit.
WITH moved AS MATERIALIZED (
    SELECT f.seen, f.copied, f.rejected FROM {pages} AS f
)
UPDATE changeover.chunk AS chunk
   SET next_page = $2,
       rows_seen = chunk.rows_seen + moved.seen,
       rows_copied = chunk.rows_copied + moved.copied,
       rows_rejected = chunk.rows_rejected + moved.rejected,
       updated_at = clock_timestamp()
  FROM moved
 WHERE chunk.source_id = $3
   AND chunk.chunk = $4
   AND chunk.next_page = $1
RETURNING moved.seen, moved.copied, moved.rejected, pg_catalog.pg_relation_filenode($5::oid) AS filenode
