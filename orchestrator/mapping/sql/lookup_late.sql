IF p_change ? 'late' THEN
            -- Only where the old row leads to another row of the lookup, or to none, and has said nothing new since.
            v_keys := ARRAY(
                SELECT k.key FROM unnest(v_keys) AS k (key)
                WHERE NOT EXISTS (SELECT FROM changeover.queue c
                                  WHERE c.source_id = :id: AND c.direction = 'forward' AND c.key = k.key)
                EXCEPT
                SELECT t."#key" FROM jsonb_populate_record(NULL:: :lookup:, p_change -> 'old') :alias: JOIN (
:by_keys:
                ) t ON :join:);
        END IF;
