ELSIF p_patch ? 'whole' AND v_found AND :target_of_p_key: IS DISTINCT FROM v_target.:target_key: THEN
        -- Somebody of the old side has taken the key that this row was to get: it gets another one.
        PERFORM set_config('changeover.origin', :forward:, true);
        UPDATE :target: g SET :with_another_key: WHERE g.:target_key: = v_target.:target_key: RETURNING g.* INTO v_target;
        PERFORM set_config('changeover.origin', v_origin, true);
        PERFORM changeover.:fn:_put(NULL, v_target, true);
