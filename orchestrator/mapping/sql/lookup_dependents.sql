-- :comment:
        INSERT INTO changeover.recheck (source_id, direction, key, cause, patch)
        SELECT :id:, v_direction, :key_of_target:, 'lookup', CASE v_direction WHEN 'reverse' THEN :drop: END::jsonb
        FROM (SELECT o.* FROM new_rows n JOIN old_rows o ON o.:lookup_key: = n.:lookup_key: WHERE :changed:) :alias:
        JOIN :target: t ON :join:
        WHERE :own: AND :alive:;
