-- A looked-up row has come, gone or changed: derived rows may follow it. In the application's transaction only a note is
-- left; the drain finds who depends on it. A change of many rows is one note: look at every row.
CREATE OR REPLACE FUNCTION changeover.:fn:()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_rows jsonb;
BEGIN
    BEGIN
        IF TG_OP = 'INSERT' THEN
            SELECT jsonb_agg(to_jsonb(r)) INTO v_rows FROM (SELECT * FROM new_rows LIMIT 101) r;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT jsonb_agg(to_jsonb(r)) INTO v_rows FROM (SELECT * FROM old_rows LIMIT 101) r;
        ELSIF EXISTS (SELECT :read: FROM old_rows EXCEPT ALL SELECT :read: FROM new_rows)
            OR EXISTS (SELECT :read: FROM new_rows EXCEPT ALL SELECT :read: FROM old_rows)
        THEN
            SELECT jsonb_agg(to_jsonb(r)) INTO v_rows
            FROM (SELECT * FROM old_rows UNION ALL SELECT * FROM new_rows LIMIT 101) r;
        END IF;
        IF jsonb_array_length(v_rows) > 100 THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', NULL, 'lookup');
        ELSIF v_rows IS NOT NULL THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            VALUES (:id:, 'forward', NULL, 'lookup', jsonb_build_object('lookup', :lookup:, 'rows', v_rows));
        END IF;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', NULL, 'lookup');
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
