-- TRUNCATE of a table that is changed in place: what is on record of its rows goes with them.
CREATE OR REPLACE FUNCTION changeover.:fn:_truncate()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
SET lock_timeout = '700ms'
AS $changeover$
#variable_conflict use_column
BEGIN
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE serialization_failure;
        END IF;
        DELETE FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0;
        DELETE FROM changeover.diverged g WHERE g.source_id = :id:;
        DELETE FROM changeover.filled g WHERE g.source_id = :id:;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', NULL, 'truncate');
    END;
    RETURN NULL;
END
$changeover$
