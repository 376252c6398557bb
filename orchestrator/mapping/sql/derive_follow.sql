-- Rows that the application has not changed follow their source row.
    WITH changed AS (
        UPDATE :target: g SET :update_set:
        FROM (
:by_keys:
        ) w
        CROSS JOIN LATERAL (SELECT m.* FROM changeover.key_map m WHERE :paired: OFFSET 0) m
        WHERE w."#reason" IS NULL AND :of_pair: AND :digest: = m.made AND (:differs:)
        RETURNING m.key, m.item, m.target_key, :digest: AS made
    )
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT :id:, c.key, c.item, c.target_key, c.made FROM changed c
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;
