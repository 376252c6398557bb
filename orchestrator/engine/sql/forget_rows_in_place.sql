-- What is on record of the rows of tables that are changed in place, whose mirrors go.
WITH mine AS (
    SELECT s.id FROM changeover.source s JOIN changeover.mapping m ON m.id = s.mapping_id
    WHERE m.plan = %(plan)s AND m.stage = %(stage)s AND m.name = ANY (%(mappings)s)
),
rejects AS (DELETE FROM changeover.reject r USING mine WHERE r.source_id = mine.id),
filled AS (DELETE FROM changeover.filled r USING mine WHERE r.source_id = mine.id),
queue AS (DELETE FROM changeover.queue r USING mine WHERE r.source_id = mine.id)
DELETE FROM changeover.diverged r USING mine WHERE r.source_id = mine.id
