-- New to old, one by one and in their order: these are few. Of several writes of one key the first must be drained
-- before the next is looked at; a change of the key has two. What comes behind one that fails, or is not due, waits.
-- With p_patched, those that tell what was written; else those that only say: look at it. What is drained is taken
-- out first: then nothing that settling it sets off finds it waiting, and if a newer write has changed it meanwhile,
-- it is read again on the next round.
CREATE OR REPLACE FUNCTION changeover.:fn:_drain_reverse(max_keys integer, p_patched boolean)
RETURNS bigint
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_row record;
    v_keys text[];
    v_blocked text[] := '{}';
    v_tried bigint := 0;
    v_drained bigint := 0;
    v_done boolean;
    v_state text;
    v_message text;
BEGIN
    FOR v_row IN
        SELECT c.id, c.key, c.patch, (c.not_before IS NULL OR c.not_before <= clock_timestamp()) AS due
        FROM changeover.queue c
        WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'reverse' AND c.key IS NOT NULL
        ORDER BY c.id
    LOOP
        EXIT WHEN v_tried >= max_keys;
        v_keys := array_remove(ARRAY[v_row.key, v_row.patch ->> 'key'], NULL);
        v_done := false;
        IF v_row.due AND (v_row.patch IS NOT NULL) = p_patched AND NOT v_keys && v_blocked THEN
            v_tried := v_tried + 1;
            BEGIN
                DELETE FROM changeover.queue c WHERE c.id = v_row.id AND c.patch IS NOT DISTINCT FROM v_row.patch;
                IF FOUND THEN
                    PERFORM changeover.:fn:_return(v_row.key, v_row.patch);
                    v_drained := v_drained + 1;
                    v_done := true;
                END IF;
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
                v_done := false;
                UPDATE changeover.queue c
                SET attempts = c.attempts + 1, last_error = v_state || ' ' || v_message,
                    not_before = clock_timestamp() + least(c.attempts, 20) * interval '100 ms'
                WHERE c.id = v_row.id;
            END;
        END IF;
        IF NOT v_done THEN
            v_blocked := v_blocked || v_keys;
        END IF;
    END LOOP;
    RETURN v_drained;
END
$changeover$
