-- TRUNCATE of a source. It holds ACCESS EXCLUSIVE, so no batch of this table is under way; only a
-- snapshot of REPEATABLE READ can hide rows from us, and then the drain looks at the whole source.
CREATE OR REPLACE FUNCTION changeover.:fn:_truncate()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    IF current_setting('transaction_isolation') = 'read committed' THEN
        BEGIN
            :truncate_all:
            DELETE FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0;
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', NULL, 'truncate');
        END;
    ELSE
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', NULL, 'truncate');
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
