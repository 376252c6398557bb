-- A lookup's row has changed in columns that the way back reads: the old columns of the rows that refer to it say
-- something else now. The application's transaction only notes it; the drain finds the rows.
CREATE OR REPLACE FUNCTION changeover.:fn:()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
    SELECT :id:, 'reverse', NULL, 'lookup', jsonb_build_object('lookup', :name:, 'rows', jsonb_agg(CAST(n.:key: AS text)))
    FROM new_rows n JOIN old_rows o ON o.:key: = n.:key:
    WHERE :changed:
    HAVING count(*) > 0;
    RETURN NULL;
END
$changeover$
