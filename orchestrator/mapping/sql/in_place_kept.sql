IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND (:changed: OR :moved:) THEN
        -- What the application has written stays. A row that gets another key takes its originals along.
        IF TG_OP = 'UPDATE' AND :moved: THEN
            INSERT INTO changeover.filled (source_id, key, originals)
            SELECT :id:, :key_of_new:, jsonb_object_agg(c.key, c.value)
            FROM (
                SELECT DISTINCT ON (c.key) c.key, c.value
                FROM changeover.filled f,
                    jsonb_each(CASE jsonb_typeof(f.originals) WHEN 'array'
                        THEN f.originals -> (array_position(f.keys, :key_of_old:) - 1) ELSE f.originals END) c
                WHERE f.source_id = :id: AND (f.key = :key_of_old: OR f.keys @> ARRAY[:key_of_old:])
                ORDER BY c.key, f.id DESC
            ) c
            HAVING count(*) > 0;
            INSERT INTO changeover.filled (source_id, key, originals) VALUES (:id:, :key_of_old:, :all_of_them:);
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO changeover.filled (source_id, key, originals) VALUES (:id:, :key_of_old:, :all_of_them:);
        END IF;
        IF TG_OP = 'UPDATE' AND (:changed:) THEN
            -- What the fill has made of it is noted after this.
            INSERT INTO changeover.filled (source_id, key, originals) VALUES (:id:, :key_of_new:, :written:);
        END IF;
    END IF;
