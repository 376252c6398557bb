-- A lookup's row has changed in columns that the way back reads: the old columns of the rows that refer to it say
-- something else now. The application's transaction only notes it; the drain finds the rows. It never raises (C1): where a column
-- that is read has another name now, every row that was updated is looked at.
CREATE OR REPLACE FUNCTION changeover.:fn:()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    BEGIN
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT :id:, 'reverse', NULL, 'lookup', jsonb_build_object('lookup', :name:, 'rows', jsonb_agg(CAST(n.:key: AS text)))
        FROM new_rows n JOIN old_rows o ON o.:key: = n.:key:
        WHERE :changed:
        HAVING count(*) > 0;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT :id:, 'reverse', NULL, 'lookup', jsonb_build_object('lookup', :name:, 'rows', jsonb_agg(to_jsonb(n) ->> :key_name:))
        FROM new_rows n HAVING count(*) > 0;
    END;
    RETURN NULL;
END
$changeover$
