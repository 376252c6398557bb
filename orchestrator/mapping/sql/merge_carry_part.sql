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
            -- What the way back gives where nothing is kept (see carry.sql).
            FOR v_nth IN 1 .. 2 LOOP
                v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
                v_said.:originals: := '{}';
                SELECT r.* INTO b FROM changeover.:fn:_old_row(v_said) r;
                IF v_nth = 1 THEN
                    a := b;
                END IF;
            END LOOP;
            v_part := v_part - array_remove(ARRAY[:dropped:]::text[], NULL);
        ELSE
            v_part := '{}';
        END IF;
        :stand_ins:
        v_document := v_document || jsonb_build_object(:name:, v_part);
    END IF;
