-- Before anything else the row gets the originals that it should have been written with: nothing that reads it later can
    -- tell what it was before. It is the row as it stands now, of which later writes may have changed more.
    IF p_patch ? 'carry' THEN
        SELECT g.* INTO v_target FROM :target: g
        WHERE g.:target_key: = CAST(p_patch ->> 'id' AS :key_type:) AND :own: AND :alive: FOR NO KEY UPDATE;
        IF FOUND THEN
            SELECT b.* INTO v_before FROM jsonb_populate_record(CAST(NULL AS :target:), nullif(p_patch -> 'carry', 'null')) b;
            SELECT c.* INTO v_target FROM changeover.:fn:_carry(v_before, v_target, p_patch -> 'carry' = 'null') c;
            PERFORM set_config('changeover.origin', :forward:, true);
            UPDATE :target: g SET :kept: WHERE g.:target_key: = v_target.:target_key:;
            PERFORM set_config('changeover.origin', v_origin, true);
            IF p_patch ? 'set' THEN
                p_patch := p_patch || jsonb_build_object('set', changeover.:fn:_patch(v_before, v_target));
            END IF;
        END IF;
    END IF;
