-- Without a unique key rows may be alike in everything: then it is their number that must agree.
        RETURN QUERY
        SELECT k.key, CASE WHEN k.waiting > r.rejected THEN 'unrejected' ELSE 'stale_reject' END,
            NULL::text[], to_jsonb(k.waiting), to_jsonb(r.rejected)
        FROM (
            SELECT r.key, count(*) AS rejected FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0 GROUP BY r.key
        ) r
        JOIN (
            SELECT k.key, count(*) - (
                SELECT count(*) FROM :target: g WHERE :target_of_key: AND :own: AND :alive:
            ) AS waiting
            FROM (:keys_of_rows:) k
            WHERE k.key IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0)
            GROUP BY k.key
        ) k ON k.key = r.key
        WHERE k.waiting <> r.rejected;
