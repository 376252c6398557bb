-- A lookup's row has changed in columns that the way back reads: the old rows that hang on it say something else
-- now. Nothing is read when nothing of that has changed. A writer in SERIALIZABLE is not made to read rows that it
-- never asked for: the drain looks for them.
CREATE OR REPLACE FUNCTION changeover.:fn:()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_direction text := CASE coalesce(current_setting('changeover.origin', true), '') WHEN '' THEN 'reverse' ELSE 'forward' END;
    v_change record;
    v_part integer;
BEGIN
    FOR v_change IN
        SELECT jsonb_build_object('direction', v_direction, 'old', to_jsonb(o), 'new', to_jsonb(n)) AS patch
        FROM new_rows n JOIN old_rows o ON o.:lookup_key: = n.:lookup_key: WHERE :changed:
    LOOP
        FOREACH v_part IN ARRAY ARRAY[:ids:] LOOP
            BEGIN
                IF current_setting('transaction_isolation') = 'serializable' THEN
                    RAISE serialization_failure;
                END IF;
                PERFORM changeover.:fn:_spread(v_part, v_change.patch);
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
                VALUES (v_part, 'reverse', NULL, 'lookup', v_change.patch || '{"spread": :number:}');
            END;
        END LOOP;
        -- Rows that others write meanwhile, who have not seen the change: the drain looks for them once they have ended.
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT p.id, 'reverse', NULL, 'lookup', v_change.patch || '{"spread": :number:, "late": true}'
        FROM unnest(ARRAY[:late:]::integer[]) AS p (id);
    END LOOP;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
