-- The reverse mirror of a merge: every source that the row has or had. It never raises, and it gives way in a
-- circle of waits (docs/concurrency.md, C1, C3, C5, C17); what could not be written waits in queue as a patch, as does what a writer in SERIALIZABLE
-- writes. Nothing overtakes what waits: a later write of the same key waits behind it, or it would look for the row
-- under a key that the row does not have yet. The row is derived again only after all its sources are written, and no
-- other one: what the same statement has written to others may not be written back yet.
CREATE OR REPLACE FUNCTION changeover.:fn:_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
SET enable_seqscan = off
AS $changeover$
DECLARE
    v_waits text := changeover.wait_less();
    v_old_key text;
    v_new_key text;
    v_again boolean := false;
    v_state text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        v_old_key := OLD.:target_key:;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        v_new_key := NEW.:target_key:;
    END IF;
    :parts:
    IF v_again THEN
        BEGIN
            PERFORM changeover.:fn:_apply(ARRAY[v_new_key]);
            PERFORM changeover.check_constraints(ARRAY[TG_RELID]);  -- the application's COMMIT is not to tell what it broke (C12)
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            VALUES (:first_source:, 'forward', v_new_key, v_state);
        END;
    END IF;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
