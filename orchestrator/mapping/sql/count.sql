-- The counting rule in one snapshot: rows in the source = rows of the target that came from it + rejects.
CREATE OR REPLACE FUNCTION changeover.:fn:_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE sql
STABLE
:pins:
AS $changeover$
    SELECT
        (SELECT count(*) FROM :source:),
        t.migrated,
        (SELECT count(*) FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0),
        t.exempt
    FROM (
        SELECT count(*) AS migrated, count(*) FILTER (WHERE :is_exempt:) AS exempt
        FROM :target: g WHERE :own: AND :alive:
    ) t
$changeover$
