-- Rows of a followed lookup have come, gone or changed: the new columns of the rows that lead to them, or led to them, may
-- be others now. The application's transaction only notes them, 500 in a note; the drain finds the rows. It never raises (C1): where a
-- column that is read has another name now, every row is looked at.
CREATE OR REPLACE FUNCTION changeover.:fn:()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
BEGIN
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            SELECT :id:, 'forward', NULL, 'follow', jsonb_build_object('lookup', :name:, 'rows', jsonb_agg(to_jsonb(r) - '#note'))
            FROM (SELECT :read:, (row_number() OVER () - 1) / 500 AS "#note" FROM new_rows) r
            GROUP BY r."#note";
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            SELECT :id:, 'forward', NULL, 'follow', jsonb_build_object('lookup', :name:, 'rows', jsonb_agg(to_jsonb(r) - '#note'))
            FROM (SELECT :read:, (row_number() OVER () - 1) / 500 AS "#note" FROM old_rows) r
            GROUP BY r."#note";
        ELSE
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            SELECT :id:, 'forward', NULL, 'follow', jsonb_build_object('lookup', :name:, 'rows', jsonb_agg(to_jsonb(r) - '#note'))
            FROM (
                SELECT :read:, (row_number() OVER () - 1) / 500 AS "#note"
                FROM ((SELECT :read: FROM old_rows EXCEPT ALL SELECT :read: FROM new_rows)
                      UNION ALL (SELECT :read: FROM new_rows EXCEPT ALL SELECT :read: FROM old_rows)) e
            ) r
            GROUP BY r."#note";
        END IF;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', NULL, 'follow');
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
