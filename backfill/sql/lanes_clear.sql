-- The source starts again from its first page.
DELETE FROM changeover.lane WHERE source_id = $1
