-- The checkpoints of a stage: its sources will be copied from their first page.
DELETE FROM changeover.chunk l USING changeover.source s, changeover.mapping m
WHERE s.id = l.source_id AND m.id = s.mapping_id AND m.plan = %(plan)s AND m.stage = %(stage)s
