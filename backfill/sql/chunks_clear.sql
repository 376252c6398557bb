-- The source starts again from its first page.
DELETE FROM changeover.chunk WHERE source_id = $1
