-- The mirror of a table that is changed in place: computes the columns of the other side before the row is stored.
-- Who has changed the new columns of a group counts, even where the old ones were changed in the same statement; the
-- application that changed only old ones has the new ones computed. New columns that all are as they were added are
-- not computed yet, whichever version has written the row.
-- It never raises: what it cannot compute it leaves, and says so to the second trigger, which knows that the row is stored.
-- Only where contract has made a column NOT NULL there is no row without it, and the error is the application's to know.
CREATE OR REPLACE FUNCTION changeover.:fn:_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
SET lock_timeout = '450ms'
AS $changeover$
#variable_conflict use_column
DECLARE
    v_inserts boolean := TG_OP = 'INSERT';
    v_applied boolean := coalesce(current_setting('changeover.origin', true), '') = '';
    v_given boolean[] := ARRAY[:given:];
    v_copying boolean := false;
    v_new record;
    v_old record;
    v_said jsonb := '{}';
    v_diverged jsonb := '{}';
    v_broken text[];
BEGIN
    :copying:
    BEGIN
        :reverse:
        IF :derives: THEN
            SELECT :computed: INTO v_new FROM changeover.:fn:_new_rows_of(NEW) d;
            IF v_new."#unresolved" THEN
                PERFORM changeover.:fn:_create(NEW);
                SELECT :computed: INTO v_new FROM changeover.:fn:_new_rows_of(NEW) d;
            END IF;
            :forward:
        END IF;
    EXCEPTION WHEN OTHERS THEN
        :required:
        :give_up:
    END;
    :exempt:
    :rejected:
    IF v_diverged <> '{}' THEN
        v_said := v_said || jsonb_build_object('diverged', v_diverged);
    END IF;
    IF v_said <> '{}' THEN
        PERFORM changeover.say(:id:, TG_OP, :key_of_new:, v_said);
    END IF;
    RETURN NEW;
END
$changeover$
