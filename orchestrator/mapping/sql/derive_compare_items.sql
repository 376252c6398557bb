-- Derived rows and rejects of items that these source rows do not have any more. A reject that speaks of a whole row holds as long as
    -- nothing is derived from it. NOT IN, of values that are never NULL, is a look into a hash; the planner believes the rows of a range to
    -- be ten, and would read all of them again for each.
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT d."#key" AS key, :item: AS item
        FROM (
:by_pages:
        ) d
        WHERE d."#reason" IS NULL
    )
    SELECT m.key, 'orphan'::text, NULL::text[], NULL::jsonb, jsonb_build_object('key', m.target_key)
    FROM (:keys_of_rows: WHERE :on_pages:) k
    CROSS JOIN LATERAL (SELECT m.* FROM changeover.key_map m WHERE m.source_id = :id: AND m.key = k.key OFFSET 0) m
    CROSS JOIN LATERAL (SELECT FROM :target: g WHERE :of_pair: AND :digest: = m.made OFFSET 0) g
    WHERE (m.key, m.item) NOT IN (SELECT f.key, f.item FROM found f);
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT d."#key" AS key, d."#reason" AS reason, d."#row" AS "row"
        FROM (
:by_pages:
        ) d
        LEFT JOIN LATERAL (SELECT m.key FROM changeover.key_map m WHERE d."#reason" IS NULL AND :paired: OFFSET 0) m ON true
        WHERE m.key IS NULL AND d."#row" IS NOT NULL
    )
    SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
    FROM (:keys_of_rows: WHERE :on_pages:) k
    CROSS JOIN LATERAL (SELECT r.* FROM changeover.reject r WHERE r.source_id = :id: AND r.key = k.key OFFSET 0) r
    WHERE (r.key, r."row", r.reason) NOT IN (SELECT f.key, f."row", f.reason FROM found f WHERE f.reason IS NOT NULL)
      AND (r.key, r."row") NOT IN (SELECT f.key, f."row" FROM found f WHERE f.reason IS NULL)
      AND (r.key, r."row") NOT IN (SELECT f.key, f."row" - :an_item: FROM found f);
