-- One chunk at first, from the first page to the last; it is split when a worker has nothing to do. A table without pages gets
-- a chunk as well (already at its end): that it has been looked at must be on record.
INSERT INTO changeover.chunk (source_id, chunk, first_page, next_page, end_page, rows_seen, rows_copied, rows_rejected, updated_at)
VALUES ($1, 0, 0, 0, $2, 0, 0, 0, clock_timestamp())
