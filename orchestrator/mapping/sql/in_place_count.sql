-- The counting rule in one snapshot: rows of the table = rows that are computed + rows with a reject.
CREATE OR REPLACE FUNCTION changeover.:fn:_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE sql
STABLE
:pins:
AS $changeover$
    SELECT count(*), count(*) FILTER (WHERE :key: NOT IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0)),
        (SELECT count(DISTINCT r.key) FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0),
        count(*) FILTER (WHERE :is_exempt:)
    FROM :table: x
$changeover$
