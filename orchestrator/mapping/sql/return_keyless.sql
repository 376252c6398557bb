IF p_patch ? 'whole' THEN
        -- A row of the new side that could not get its key, or of which a writer did not see that it has one. It may
        -- have come to one since, or be gone again: then it goes by that key.
        SELECT g.* INTO v_target FROM :target: g WHERE g.:target_key: = CAST(p_patch ->> 'whole' AS :key_type:) AND :own: AND :alive:;
        v_found := FOUND;
        IF v_found THEN
            v_key := changeover.:fn:_key(v_target);
        ELSE
            v_key := (SELECT b.key FROM changeover.key_map b WHERE b.source_id = :id: AND b.target_key = p_patch ->> 'whole');
        END IF;
        IF v_key IS NULL THEN
            SELECT g.* INTO v_target FROM :target: g WHERE g.:target_key: = v_target.:target_key: FOR NO KEY UPDATE;
            IF NOT FOUND OR changeover.:fn:_key(v_target) IS NOT NULL THEN
                RETURN;
            END IF;
            BEGIN
                v_again := changeover.:fn:_put(NULL, v_target, true);
            EXCEPTION WHEN unique_violation THEN
                -- Somebody has taken the key that it was to get, or it got none: it is made reversible anew, with another.
                SELECT c.* INTO v_target FROM changeover.:fn:_carry(NULL, v_target, true) c;
                PERFORM set_config('changeover.origin', :forward:, true);
                UPDATE :target: g SET :originals: = v_target.:originals: WHERE g.:target_key: = v_target.:target_key:;
                PERFORM set_config('changeover.origin', v_origin, true);
                v_again := changeover.:fn:_put(NULL, v_target, true);
            END;
            IF v_again THEN
                PERFORM changeover.:fn:_apply(ARRAY[changeover.:fn:_key(v_target)]);
            END IF;
            RETURN;
        ELSIF NOT (v_found AND p_patch ? 'set') THEN
            PERFORM changeover.:fn:_return(v_key, NULL);
            RETURN;
        END IF;
        p_key := v_key;
    END IF;
