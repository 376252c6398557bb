IF p_source = :id: THEN
        -- :comment:
        INSERT INTO changeover.recheck (source_id, direction, key, cause, patch)
        SELECT :id:, p_change ->> 'direction', :key_of_target:, 'lookup',
            CASE p_change ->> 'direction' WHEN 'reverse' THEN
                jsonb_build_object('drop', jsonb_build_array(:names:), 'set', '{}'::jsonb :values:) END
        FROM jsonb_populate_record(NULL:: :lookup:, p_change -> 'old') :alias:
        JOIN :target: t ON :join:
        WHERE :own: AND :alive: AND :key_of_target: IS NOT NULL;
    END IF;
