SELECT s.id, s.mapping_id FROM changeover.source AS s WHERE s.id = ANY ($1::int[])
