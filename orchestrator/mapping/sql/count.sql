-- The counting rule in one snapshot: rows in the source = rows of the target that came from it + rejects.
CREATE OR REPLACE FUNCTION changeover.:fn:_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE sql
STABLE
:pins:
AS $changeover$
    SELECT
        (SELECT count(*) FROM :source:),
        (SELECT count(*) FROM :target: g WHERE :own: AND :alive:),
        (SELECT count(*) FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0),
        (SELECT count(*) FROM :target: g WHERE :own: AND :alive: AND :is_exempt:)
$changeover$
