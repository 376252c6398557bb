-- What came after the tables: CREATE TABLE IF NOT EXISTS leaves a table that is there as it is.
ALTER TABLE changeover.verify_range ADD COLUMN IF NOT EXISTS at timestamptz NOT NULL DEFAULT clock_timestamp();
DROP INDEX IF EXISTS changeover.queue_source, changeover.queue_back, changeover.queue_order;
-- An approval of before had no role; it keeps its date.
DO $$
BEGIN
    IF to_regclass('changeover.gate_approval') IS NOT NULL THEN
        INSERT INTO changeover.approval (run_id, stage, control, approved_by, checksum, reason, created_at)
        SELECT a.run_id, a.stage, a.gate, a.approved_by, r.checksum, a.reason, a.created_at
        FROM changeover.gate_approval AS a JOIN changeover.run AS r ON r.id = a.run_id
        ON CONFLICT DO NOTHING;
        DROP TABLE changeover.gate_approval;
    END IF;
END
$$;
ALTER TABLE changeover.mapping ADD COLUMN IF NOT EXISTS shares_rows boolean NOT NULL DEFAULT false;
-- A phase that somebody stopped, and one that is taken back, have states of their own.
ALTER TABLE changeover.phase DROP CONSTRAINT IF EXISTS state_is_known;
ALTER TABLE changeover.phase ADD CONSTRAINT state_is_known
    CHECK (state IN ('pending', 'running', 'done', 'failed', 'stopped', 'going_back', 'rolled_back'));
-- Where the files of a plan are that is not shipped.
ALTER TABLE changeover.run ADD COLUMN IF NOT EXISTS folder text;
-- What is asked of a job, and how it is throttled, have other names.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'changeover.control'::regclass AND attname = 'wish') THEN
        ALTER TABLE changeover.control RENAME COLUMN wish TO request;
        ALTER TABLE changeover.control RENAME CONSTRAINT wish_is_known TO request_is_known;
        ALTER TABLE changeover.control RENAME COLUMN knobs TO settings;
    END IF;
END
$$;
-- A source tells by its fragments what it has.
DROP FUNCTION IF EXISTS changeover.answers(integer, text);
-- What is written back is told the fragments of its source.
DROP FUNCTION IF EXISTS changeover.write_back(integer, text, jsonb);
-- What waits for a row that it refers to: a mirror asks at each statement whether there is any.
CREATE INDEX IF NOT EXISTS reject_parent ON changeover.reject (source_id) WHERE id > 0 AND reason = 'foreign_key_violation';
-- One old row may have several derived ones.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'changeover.key_map'::regclass AND attname = 'item') THEN
        ALTER TABLE changeover.key_map ADD COLUMN item text NOT NULL DEFAULT '';
    END IF;
    -- With the source first it would be taken to find a key, and read all of the source.
    IF pg_get_indexdef('changeover.key_map_pkey'::regclass, 1, true) <> 'key' THEN
        ALTER TABLE changeover.key_map DROP CONSTRAINT key_map_pkey, ADD PRIMARY KEY (key, source_id, item);
    END IF;
END
$$;
