v_had := NOT p_insert AND coalesce(o.:residual: ? :name:, false);
    SELECT (:when:) INTO v_has FROM (SELECT (n).*) t;
    IF NOT p_insert AND v_has IS TRUE AND NOT v_had THEN
        -- An existing row gets this source only when the change itself made the condition true.
        SELECT (:when:) IS NOT TRUE INTO v_has FROM (SELECT (o).*) t;
    END IF;
    IF v_has IS TRUE THEN
        IF v_had THEN
            v_part := o.:residual: -> :name:;
            SELECT array_remove(ARRAY[:dropped:]::text[], NULL) INTO v_dropped
            FROM (SELECT :backs: FROM (SELECT (o).*) t) a, (SELECT :backs: FROM (SELECT (n).*) t) b;
            v_part := v_part - v_dropped;
        ELSE
            SELECT :kept_values: INTO v_part FROM (SELECT (n).*) t;
        END IF;
        v_document := v_document || jsonb_build_object(:name:, v_part);
    END IF;
