-- :comment:
    DECLARE
        v_had boolean := false;
        v_has boolean := false;
        v_done boolean := false;
        v_patch jsonb;
        v_state text;
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            v_had := coalesce(OLD.:originals: ? :name:, false);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            v_has := coalesce(NEW.:originals: ? :name:, false);
        END IF;
        -- A table that has moved at this moment is looked for again: its functions have moved with it.
        FOR v_attempt IN 1 .. 3 LOOP
            v_state := 'serializable';
            BEGIN
                IF (v_had OR v_has) AND current_setting('transaction_isolation') <> 'serializable' THEN
                    IF EXISTS (SELECT FROM changeover.queue c
                               WHERE c.source_id = :id: AND c.direction = 'reverse' AND c.key IN (v_old_key, v_new_key))
                        OR EXISTS (SELECT FROM changeover.queue c
                                   WHERE c.source_id = :id: AND c.direction = 'reverse' AND c.patch ->> 'key' IN (v_old_key, v_new_key))
                    THEN
                        v_state := 'waiting';
                    ELSE
                        IF v_had AND v_has THEN
                            v_again := changeover.:fn:_put(OLD, NEW, false) OR v_again;
                            IF v_old_key IS DISTINCT FROM v_new_key THEN
                                -- A row that lost to this one may now be the first of its key.
                                INSERT INTO changeover.queue (source_id, direction, key, cause)
                                VALUES (:id:, 'forward', v_old_key, 'key change');
                            END IF;
                        ELSIF v_has THEN
                            v_again := changeover.:fn:_put(NULL, NEW, true) OR v_again;
                        ELSE
                            PERFORM changeover.:fn:_erase(v_old_key, NULL);
                        END IF;
                        v_done := true;
                    END IF;
                END IF;
                EXIT;
            EXCEPTION
                WHEN undefined_table OR undefined_column THEN
                    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
                WHEN OTHERS THEN
                    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
                    EXIT;
            END;
        END LOOP;
        IF NOT v_done AND (v_had OR v_has) THEN
            BEGIN
                IF v_had AND v_has THEN
                    v_patch := jsonb_build_object('set', changeover.patch_of(:id:, OLD, NEW));
                    IF v_old_key IS DISTINCT FROM v_new_key THEN
                        v_patch := v_patch || jsonb_build_object('key', v_new_key);
                    END IF;
                ELSIF v_has THEN
                    v_patch := jsonb_build_object('whole', v_new_key);
                ELSE
                    v_patch := jsonb_build_object('erase', changeover.:fn:_image(OLD));
                END IF;
            EXCEPTION WHEN OTHERS THEN
                v_patch := NULL;
            END;
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            VALUES (:id:, 'reverse', coalesce(v_old_key, v_new_key), v_state, v_patch);
        END IF;
    END;
