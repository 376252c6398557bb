v_had := TG_OP <> 'INSERT';
    v_has := TG_OP <> 'DELETE';
    IF v_had THEN
        v_had := coalesce(OLD.:residual: ? :name:, false);
    END IF;
    IF v_has THEN
        v_has := coalesce(NEW.:residual: ? :name:, false);
    END IF;
    BEGIN
        IF v_had AND v_has THEN
            PERFORM changeover.:fn:_put(OLD, NEW, false);
            IF OLD.:target_key: IS DISTINCT FROM NEW.:target_key: THEN
                -- A row that lost to this one may now be the first of its key.
                INSERT INTO changeover.recheck (source_id, direction, key, cause)
                VALUES (:id:, 'forward', OLD.:target_key:, 'key change');
            END IF;
        ELSIF v_has THEN
            PERFORM changeover.:fn:_put(NULL, NEW, true);
        ELSIF v_had THEN
            PERFORM changeover.:fn:_erase(OLD.:target_key:);
            INSERT INTO changeover.recheck (source_id, direction, key, cause)
            VALUES (:id:, 'forward', OLD.:target_key:, 'erased');
        END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
        IF v_had THEN
            INSERT INTO changeover.recheck (source_id, direction, key, cause)
            VALUES (:id:, 'reverse', OLD.:target_key:, v_state);
        END IF;
        IF v_has THEN
            INSERT INTO changeover.recheck (source_id, direction, key, cause)
            VALUES (:id:, 'reverse', NEW.:target_key:, v_state);
        END IF;
    END;
