-- Which mapping each source belongs to; the caller hands in sources only.
SELECT s.id, s.mapping_id, s.oid FROM changeover.source AS s WHERE s.id = ANY ($1::int[])
