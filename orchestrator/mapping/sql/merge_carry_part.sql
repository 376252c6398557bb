-- :comment:
    v_had := NOT p_insert AND coalesce("#old".:originals: ? :name:, false);
    SELECT (:when:) INTO v_has FROM (SELECT ("#new").*) t;
    IF NOT p_insert AND v_has IS TRUE AND NOT v_had THEN
        -- An existing row gets this source only when the change itself made the condition true.
        SELECT (:when:) IS NOT TRUE INTO v_has FROM (SELECT ("#old").*) t;
    END IF;
    IF v_has IS TRUE THEN
        IF v_had THEN
            v_part := "#old".:originals: -> :name:;
            SELECT array_remove(ARRAY[:dropped:]::text[], NULL) INTO v_dropped
            FROM (SELECT :backs: FROM (SELECT ("#old").*) t) a, (SELECT :backs: FROM (SELECT ("#new").*) t) b;
            v_part := v_part - v_dropped;
        ELSE
            v_part := '{}';
        END IF;
        :stand_ins:
        v_document := v_document || jsonb_build_object(:name:, v_part);
    END IF;
