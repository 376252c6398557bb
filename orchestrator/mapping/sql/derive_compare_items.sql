-- Derived rows and rejects of items that these source rows do not have any more. A reject that speaks of a whole row holds as long as
    -- nothing is derived from it.
    RETURN QUERY
    SELECT m.key, 'orphan'::text, NULL::text[], NULL::jsonb, jsonb_build_object('key', m.target_key)
    FROM (:keys_of_rows: WHERE :on_pages:) k
    JOIN changeover.key_map m ON m.source_id = :id: AND m.key = k.key
    JOIN :target: g ON :of_pair: AND :digest: = m.made
    WHERE NOT EXISTS (SELECT FROM (
:by_pages:
    ) d WHERE d."#reason" IS NULL AND :paired:);
    RETURN QUERY
    SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
    FROM (:keys_of_rows: WHERE :on_pages:) k
    JOIN changeover.reject r ON r.source_id = :id: AND r.id > 0 AND r.key = k.key
    WHERE NOT EXISTS (SELECT FROM (
:by_pages:
    ) d LEFT JOIN changeover.key_map m ON d."#reason" IS NULL AND :paired:
    WHERE d."#key" = r.key AND m.key IS NULL
      AND (r."row" = d."#row" AND r.reason = coalesce(d."#reason", r.reason) OR :of_whole_row:));