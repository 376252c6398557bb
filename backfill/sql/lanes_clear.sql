DELETE FROM changeover.lane WHERE source_id = $1
