IF p_source = :id: THEN
        -- :comment:
        v_keys := ARRAY(SELECT :key_of_target:
            FROM jsonb_populate_record(NULL:: :lookup:, p_change -> 'old') :alias:
            JOIN :target: t ON :join:
            WHERE :own: AND :alive: AND :key_of_target: IS NOT NULL);
        :without_those_that_lead_there:
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT :id:, p_change ->> 'direction', k.key, 'lookup',
            CASE p_change ->> 'direction' WHEN 'reverse' THEN
                jsonb_build_object('drop', jsonb_build_array(:names:), 'set', '{}'::jsonb :values:) END
        FROM jsonb_populate_record(NULL:: :lookup:, p_change -> 'old') :alias:
        JOIN :target: t ON :join:
        CROSS JOIN LATERAL (SELECT :key_of_target: AS key) k
        WHERE :own: AND :alive: AND k.key = ANY (v_keys);
    END IF;
