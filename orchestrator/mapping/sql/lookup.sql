-- A lookup's row has changed in columns that the way back reads: the old rows that hang on it say something else
-- now. Nothing is read when nothing of that has changed. What an application of the new side changes goes back to
-- the old tables; what a mirror changes is kept beside the new rows instead, because the old ones did not change.
CREATE OR REPLACE FUNCTION changeover.:fn:()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
SET lock_timeout = '300ms'
AS $changeover$
#variable_conflict use_column
DECLARE
    v_direction text := CASE coalesce(current_setting('changeover.origin', true), '') WHEN '' THEN 'reverse' ELSE 'forward' END;
    v_state text;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.:lookup_key: = n.:lookup_key: WHERE :changed:) THEN
        RETURN NULL;
    END IF;
    BEGIN
        IF current_setting('transaction_isolation') = 'serializable' THEN
            RAISE serialization_failure;
        END IF;
        :dependents:
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
        :all_sources:
    END;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$changeover$
