-- Make the derived rows of these keys what the source says now: rows that have no source row any more go, new ones are
-- made, changed ones follow, rejects are written. New ones come before changed ones: to claim a pair waits for a batch
-- that is making the same row from an older version of the source row, and the next statement sees what it has made.
-- A batch under way may have read the row before this change, so until the copy is done the keys are looked at once more.
CREATE OR REPLACE FUNCTION changeover.:fn:_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_gone text[];
    v_keys text[];
    v_items text[];
    v_ids text[];
    v_made text[];
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    SELECT array_agg(m.target_key) INTO v_gone
    FROM changeover.key_map m
    WHERE m.source_id = :id: AND m.key = ANY ("#keys")
      AND NOT :still_wanted:;
    IF v_gone IS NOT NULL THEN
        PERFORM changeover.:fn:_remove("#keys", v_gone);
    END IF;
    WITH wanted AS MATERIALIZED (
        SELECT d.*, :next_key: AS "#id"
        FROM (
:by_keys:
        ) d
        WHERE d."#reason" IS NULL
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE :paired: OFFSET 0)
    ),
    claimed AS (
        INSERT INTO changeover.key_map (source_id, key, item, target_key)
        SELECT :id:, w."#key", :item:, w."#id"::text FROM wanted w
        ON CONFLICT DO NOTHING
        RETURNING key, item, target_key, true AS found
    ),
    stored AS (
        INSERT INTO :target: AS g (:columns:)
        OVERRIDING SYSTEM VALUE
        SELECT :derived_columns:
        FROM wanted w FULL JOIN claimed c ON c.key = w."#key" AND c.target_key = w."#id"::text
        WHERE coalesce(c.found, false)
        RETURNING :id_of: AS id, :digest: AS made
    )
    SELECT array_agg(c.key), array_agg(c.item), array_agg(s.id), array_agg(s.made) INTO v_keys, v_items, v_ids, v_made
    FROM stored s FULL JOIN claimed c ON c.target_key = s.id
    WHERE coalesce(s.made, '') <> '';
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT :id:, u.* FROM unnest(v_keys, v_items, v_ids, v_made) AS u
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;
    :follow:
    WITH found AS (
        SELECT d."#key" AS key, d."#reason" AS reason, d."#row" AS "row"
        FROM (
:by_keys:
        ) d
        WHERE d."#reason" <> :left_out:
          AND NOT (:once: AND EXISTS (SELECT FROM changeover.key_map m WHERE :paired: OFFSET 0))
    ),
    mended AS (
        DELETE FROM changeover.reject r
        WHERE r.source_id = :id: AND r.key = ANY ("#keys")
          AND (r.key, r.reason, r."row") NOT IN (SELECT f.key, f.reason, f."row" FROM found f)
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
    SELECT :id:, :label:, :stage:, f.key, f.reason, f."row"
    FROM found f
    WHERE NOT EXISTS (SELECT FROM changeover.reject r
                      WHERE r.source_id = :id: AND r.key = f.key AND r.reason = f.reason AND r."row" = f."row" OFFSET 0);
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT :id:, 'forward', k.key, 'copying'
    FROM unnest("#keys") AS k (key)
    WHERE current_setting('changeover.draining', true) IS DISTINCT FROM ':id:'
      AND (current_setting('transaction_isolation') <> 'read committed'
           OR EXISTS (SELECT FROM changeover.source z WHERE z.id = :id: AND z.state NOT IN ('copied', 'archived')));
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
