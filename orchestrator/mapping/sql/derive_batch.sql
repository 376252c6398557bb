-- One batch of a derive: rows of the pages [lo, hi) that have no pair yet get a key of the target's own, a pair and a
-- derived row. The pair is claimed first: whoever else derives the same row waits there, so a row is made once.
-- What is claimed is joined by FULL JOIN, which cannot be a nested loop: the planner believes the rows of a batch to be ten.
-- OFFSET 0 keeps the search for a pair by its key: joined, the planner would read all pairs of the source for each row.
-- Without sequential scans, or the plan of the first batch, when there are no pairs, would read all of them for each row.
CREATE OR REPLACE FUNCTION changeover.:fn:_batch(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    v_seen bigint;
    v_rejected bigint;
    v_keys text[];
    v_items text[];
    v_ids text[];
    v_made text[];
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    WITH found AS MATERIALIZED (
:by_pages:
    ),
    wanted AS MATERIALIZED (
        SELECT d.*, :next_key: AS "#id"
        FROM found d
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
    ),
    refused AS (
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
        SELECT :id:, :label:, :stage:, d."#key", d."#reason", d."#row"
        FROM found d
        WHERE d."#reason" <> :left_out:
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE :paired: OFFSET 0)
          AND NOT EXISTS (SELECT FROM changeover.reject r
                          WHERE r.source_id = :id: AND r.key = d."#key" AND r.reason = d."#reason" AND r."row" = d."#row" OFFSET 0)
        RETURNING 1
    ),
    -- A mirror that runs before this commit does not see the reject: the drain looks at each again.
    again AS (
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT :id:, 'forward', d."#key", 'batch:' || d."#reason", CASE WHEN d."#reason" = ANY (:steady:) THEN (
            SELECT jsonb_build_object('place', x.ctid::text, 'xmin', x.xmin::text) FROM :source: x WHERE x.ctid = d."#ctid"
        ) END
        FROM found d
        WHERE d."#reason" <> :left_out:
    )
    SELECT (SELECT count(*) FROM :source: x WHERE x.ctid >= "#from" AND x.ctid < "#to"), (SELECT count(*) FROM refused), a.*
    INTO v_seen, v_rejected, v_keys, v_items, v_ids, v_made
    FROM (
        SELECT array_agg(c.key), array_agg(c.item), array_agg(s.id), array_agg(s.made)
        FROM stored s FULL JOIN claimed c ON c.target_key = s.id
        WHERE coalesce(s.made, '') <> ''
    ) a;
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT :id:, u.* FROM unnest(v_keys, v_items, v_ids, v_made) AS u
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;
    PERFORM changeover.check_constraints(:written:);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, coalesce(cardinality(v_made), 0)::bigint, v_rejected;
END
$changeover$
