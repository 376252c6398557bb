-- Columns that count in the source, rows of the target that came from them, in one snapshot. Of several
-- rows with one key only the first counts, so that its rows in the target count once.
CREATE OR REPLACE FUNCTION changeover.:fn:_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE sql
STABLE
:pins:
AS $changeover$
    SELECT
        (SELECT count(*) FROM (
:by_all:
        ) d WHERE d."#reason" IS NULL),
        (SELECT count(*) FROM (SELECT DISTINCT r.key FROM (:keys_of_rows:) r) k JOIN :target: g ON g.:parent_column: = :target_of_key:
            AND g.:item: = ANY (:items:) AND :own:),
        0::bigint,
        0::bigint
$changeover$
