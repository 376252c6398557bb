-- What belongs to the rows that were just taken out of the new tables.
WITH mine AS (
    SELECT s.id FROM changeover.source s JOIN changeover.mapping m ON m.id = s.mapping_id
    WHERE m.plan = %(plan)s AND m.stage = %(stage)s
),
rejects AS (DELETE FROM changeover.reject r USING mine WHERE r.source_id = mine.id),
queue AS (DELETE FROM changeover.queue r USING mine WHERE r.source_id = mine.id)
DELETE FROM changeover.key_map b USING mine WHERE b.source_id = mine.id
