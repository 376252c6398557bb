-- What came after the tables: CREATE TABLE IF NOT EXISTS leaves a table that is there as it is.
ALTER TABLE changeover.verify_range ADD COLUMN IF NOT EXISTS at timestamptz NOT NULL DEFAULT clock_timestamp();
DROP INDEX IF EXISTS changeover.queue_source;
