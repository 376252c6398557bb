-- Ids that are free again: rows of other sources that were rejected because one was taken are looked at again.
-- No keys: all of them. Two branches, so that some keys are never looked for among all.
CREATE OR REPLACE FUNCTION changeover.:fn:_release(p_source integer, p_keys text[])
RETURNS void
LANGUAGE sql
:pins:
SET enable_seqscan = off
AS $changeover$
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT DISTINCT r.source_id, 'forward', r.key, 'released'
    FROM (
        SELECT e.source_id, e.key FROM changeover.reject e WHERE e.reason = 'id_taken' AND e.key = ANY (p_keys)
        UNION ALL
        SELECT e.source_id, e.key FROM changeover.reject e WHERE e.reason = 'id_taken' AND p_keys IS NULL AND e.id > 0
    ) r
    JOIN changeover.source z ON z.id = r.source_id AND z.mapping_id = :mapping: AND z.id <> p_source
$changeover$
