-- What failed before this command began says nothing of now: somebody may have mended it. Each key gets all its attempts; those that
-- somebody else drains at this moment have them.
UPDATE changeover.queue AS r
   SET attempts = 0, not_before = NULL
 WHERE r.id IN (SELECT q.id FROM changeover.queue AS q
                 WHERE q.source_id = ANY ($1::int[]) AND q.attempts > 0
                   FOR UPDATE SKIP LOCKED)
