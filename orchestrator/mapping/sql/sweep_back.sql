-- New to old, one by one: these are few. Of several writes of one key the first must be settled before the next
-- is looked at; a change of the key has two. With p_patched, those that tell what was written; else those that only
-- say: look at it. What is settled is taken out first: then nothing that settling it sets off finds it waiting, and
-- if a newer write has changed it meanwhile, it is read again on the next round.
CREATE OR REPLACE FUNCTION changeover.:fn:_sweep_back(max_keys integer, p_patched boolean)
RETURNS bigint
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_row record;
    v_settled bigint := 0;
    v_state text;
    v_message text;
BEGIN
    FOR v_row IN
        SELECT c.id, c.key, c.patch FROM changeover.recheck c
        WHERE c.source_id = :id: AND c.direction = 'reverse' AND c.key IS NOT NULL AND (c.patch IS NOT NULL) = p_patched
          AND (c.not_before IS NULL OR c.not_before <= clock_timestamp())
          AND NOT EXISTS (SELECT FROM changeover.recheck e
                          WHERE e.source_id = :id: AND e.direction = 'reverse' AND e.key = c.key AND e.id < c.id)
          AND NOT EXISTS (SELECT FROM changeover.recheck e
                          WHERE e.source_id = :id: AND e.direction = 'reverse' AND e.patch ->> 'key' = c.key AND e.id < c.id)
          AND NOT EXISTS (SELECT FROM changeover.recheck e
                          WHERE e.source_id = :id: AND e.direction = 'reverse' AND e.key = c.patch ->> 'key' AND e.id < c.id)
          AND NOT EXISTS (SELECT FROM changeover.recheck e
                          WHERE e.source_id = :id: AND e.direction = 'reverse' AND e.patch ->> 'key' = c.patch ->> 'key'
                            AND e.id < c.id)
        ORDER BY c.id LIMIT max_keys
    LOOP
        BEGIN
            DELETE FROM changeover.recheck c WHERE c.id = v_row.id AND c.patch IS NOT DISTINCT FROM v_row.patch;
            IF FOUND THEN
                PERFORM changeover.:fn:_return(v_row.key, v_row.patch);
                v_settled := v_settled + 1;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
            UPDATE changeover.recheck c
            SET attempts = c.attempts + 1, last_error = v_state || ' ' || v_message,
                not_before = clock_timestamp() + least(c.attempts, 20) * interval '100 ms'
            WHERE c.id = v_row.id;
        END;
    END LOOP;
    RETURN v_settled;
END
$changeover$
