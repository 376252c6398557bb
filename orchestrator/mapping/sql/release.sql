-- Ids that are free again: rows of other sources that were rejected because one was taken are looked at again.
CREATE OR REPLACE FUNCTION changeover.:fn:_release(p_source integer, p_keys text[])
RETURNS void
LANGUAGE sql
:pins:
AS $changeover$
    INSERT INTO changeover.recheck (source_id, direction, key, cause)
    SELECT DISTINCT r.source_id, 'forward', r.key, 'released'
    FROM changeover.reject r
    JOIN changeover.source z ON z.id = r.source_id AND z.mapping_id = :mapping: AND z.id <> p_source
    WHERE r.reason = 'id_taken' AND (p_keys IS NULL OR r.key = ANY (p_keys))
$changeover$
