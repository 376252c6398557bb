-- What a small plan of kind derive compiles to. `make golden` writes this file; see tests/unit/golden/plans.py.

-- function m10_new_rows_on_pages
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows_on_pages("#from" tid, "#to" tid)
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "nights" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."nights",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((s.leaves IS NOT NULL), false) THEN '#left_out'
        WHEN (s.arrives IS NULL) THEN 'no_arrival' END AS "#reason",
    false AS "#unresolved"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."arrives" AS "arrives",
        x."leaves" AS "leaves",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."bookings" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (s.leaves - s.arrives)::integer AS "nights"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows_on_pages(tid, tid)'::pg_catalog.regprocedure);

-- function m10_new_rows_at
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows_at("#places" tid[])
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "nights" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."nights",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((s.leaves IS NOT NULL), false) THEN '#left_out'
        WHEN (s.arrives IS NULL) THEN 'no_arrival' END AS "#reason",
    false AS "#unresolved"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."arrives" AS "arrives",
        x."leaves" AS "leaves",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE x.ctid = ANY ("#places")
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (s.leaves - s.arrives)::integer AS "nights"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows_at(tid[])'::pg_catalog.regprocedure);

-- function m10_new_rows
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows("#keys" text[])
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "nights" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."nights",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((s.leaves IS NOT NULL), false) THEN '#left_out'
        WHEN (s.arrives IS NULL) THEN 'no_arrival' END AS "#reason",
    false AS "#unresolved"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."arrives" AS "arrives",
        x."leaves" AS "leaves",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE x."id" = ANY ((array_remove("#keys", ''))::integer[])
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (s.leaves - s.arrives)::integer AS "nights"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows(text[])'::pg_catalog.regprocedure);

-- function m10_new_rows_all
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows_all()
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "nights" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."nights",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((s.leaves IS NOT NULL), false) THEN '#left_out'
        WHEN (s.arrives IS NULL) THEN 'no_arrival' END AS "#reason",
    false AS "#unresolved"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."arrives" AS "arrives",
        x."leaves" AS "leaves",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE true
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (s.leaves - s.arrives)::integer AS "nights"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows_all()'::pg_catalog.regprocedure);

-- function m10_batch
-- One batch of a derive: rows of the pages [lo, hi) that have no pair yet get a key of the target's own, a pair and a
-- derived row. The pair is claimed first: whoever else derives the same row waits there, so a row is made once.
-- What is claimed is joined by FULL JOIN, which cannot be a nested loop: the planner believes the rows of a batch to be ten.
-- OFFSET 0 keeps the search for a pair by its key: joined, the planner would read all pairs of the source for each row.
-- Without sequential scans, or the plan of the first batch, when there are no pairs, would read all of them for each row.
CREATE OR REPLACE FUNCTION changeover.m10_batch(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
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
    PERFORM set_config('changeover.origin', 'stays:f', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1128419927, 10);
    WITH found AS MATERIALIZED (
SELECT r.* FROM changeover.m10_new_rows_on_pages("#from", "#to") r
    ),
    wanted AS MATERIALIZED (
        SELECT d.*, pg_catalog.nextval('public.stays_stay_seq'::pg_catalog.regclass) AS "#id"
        FROM found d
        WHERE d."#reason" IS NULL
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = d."#key" AND m.item = '' OFFSET 0)
    ),
    claimed AS (
        INSERT INTO changeover.key_map (source_id, key, item, target_key)
        SELECT 10, w."#key", '', w."#id"::text FROM wanted w
        ON CONFLICT DO NOTHING
        RETURNING key, item, target_key, true AS found
    ),
    stored AS (
        INSERT INTO "public"."stays" AS g ("stay", "booking", "nights")
        OVERRIDING SYSTEM VALUE
        SELECT w."#id", w."booking", w."nights"
        FROM wanted w FULL JOIN claimed c ON c.key = w."#key" AND c.target_key = w."#id"::text
        WHERE coalesce(c.found, false)
        RETURNING g."stay"::text AS id, md5(jsonb_strip_nulls(to_jsonb(g.*))::text) AS made
    ),
    refused AS (
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
        SELECT 10, 'public.bookings', 'golden', d."#key", d."#reason", d."#row"
        FROM found d
        WHERE d."#reason" <> '#left_out'
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = d."#key" AND m.item = '' OFFSET 0)
          AND NOT EXISTS (SELECT FROM changeover.reject r
                          WHERE r.source_id = 10 AND r.key = d."#key" AND r.reason = d."#reason" AND r."row" = d."#row" OFFSET 0)
        RETURNING 1
    ),
    -- A mirror that runs before this commit does not see the reject: the drain looks at each again.
    again AS (
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT 10, 'forward', d."#key", 'batch:' || d."#reason", CASE WHEN d."#reason" = ANY (ARRAY['no_arrival']::text[]) THEN (
            SELECT jsonb_build_object('place', x.ctid::text, 'xmin', x.xmin::text) FROM "public"."bookings" x WHERE x.ctid = d."#ctid"
        ) END
        FROM found d
        WHERE d."#reason" <> '#left_out'
    )
    SELECT (SELECT count(*) FROM "public"."bookings" x WHERE x.ctid >= "#from" AND x.ctid < "#to"), (SELECT count(*) FROM refused), a.*
    INTO v_seen, v_rejected, v_keys, v_items, v_ids, v_made
    FROM (
        SELECT array_agg(c.key), array_agg(c.item), array_agg(s.id), array_agg(s.made)
        FROM stored s FULL JOIN claimed c ON c.target_key = s.id
        WHERE coalesce(s.made, '') <> ''
    ) a;
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT 10, u.* FROM unnest(v_keys, v_items, v_ids, v_made) AS u
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;
    PERFORM changeover.check_constraints(ARRAY['"public"."stays"'::regclass]::oid[]);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, coalesce(cardinality(v_made), 0)::bigint, v_rejected;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_batch(bigint, bigint)'::pg_catalog.regprocedure);

-- function m10_remove
-- Take out the derived rows of these keys, or all of them where they are NULL; "#ids", where given, are those of them that are meant. A row that
-- the application has changed is its own: it stays, and so does its pair, by which the way back knows it. A pair whose row the application
-- has deleted goes.
CREATE OR REPLACE FUNCTION changeover.m10_remove("#keys" text[], "#ids" text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_removed text[];
BEGIN
    IF "#keys" IS NULL THEN
        "#keys" := ARRAY(SELECT m.key FROM changeover.key_map m WHERE m.source_id = 10);
    END IF;
    WITH removed AS (
        DELETE FROM "public"."stays" g USING changeover.key_map m
        WHERE m.source_id = 10 AND m.key = ANY ("#keys") AND ("#ids" IS NULL OR m.target_key = ANY ("#ids"))
          AND g."stay" = m.target_key::bigint AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made
        RETURNING m.target_key
    )
    SELECT array_agg(r.target_key) INTO v_removed FROM removed r;
    DELETE FROM changeover.key_map m
    WHERE m.source_id = 10 AND m.key = ANY ("#keys") AND ("#ids" IS NULL OR m.target_key = ANY ("#ids"))
      AND (m.target_key = ANY (v_removed) OR NOT EXISTS (SELECT FROM "public"."stays" g WHERE g."stay" = m.target_key::bigint));
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_remove(text[], text[])'::pg_catalog.regprocedure);

-- function m10_apply
-- Make the derived rows of these keys what the source says now: rows that have no source row any more go, new ones are
-- made, changed ones follow, rejects are written. New ones come before changed ones: to claim a pair waits for a batch
-- that is making the same row from an older version of the source row, and the next statement sees what it has made.
-- A batch under way may have read the row before this change, so until the copy is done the keys are looked at once more.
CREATE OR REPLACE FUNCTION changeover.m10_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
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
    PERFORM set_config('changeover.origin', 'stays:f', true);
    SELECT array_agg(m.target_key) INTO v_gone
    FROM changeover.key_map m
    WHERE m.source_id = 10 AND m.key = ANY ("#keys")
      AND NOT (m.key, m.item) IN (SELECT d."#key", '' FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
        ) d WHERE d."#reason" IS NULL);
    IF v_gone IS NOT NULL THEN
        PERFORM changeover.m10_remove("#keys", v_gone);
    END IF;
    WITH wanted AS MATERIALIZED (
        SELECT d.*, pg_catalog.nextval('public.stays_stay_seq'::pg_catalog.regclass) AS "#id"
        FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
        ) d
        WHERE d."#reason" IS NULL
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = d."#key" AND m.item = '' OFFSET 0)
    ),
    claimed AS (
        INSERT INTO changeover.key_map (source_id, key, item, target_key)
        SELECT 10, w."#key", '', w."#id"::text FROM wanted w
        ON CONFLICT DO NOTHING
        RETURNING key, item, target_key, true AS found
    ),
    stored AS (
        INSERT INTO "public"."stays" AS g ("stay", "booking", "nights")
        OVERRIDING SYSTEM VALUE
        SELECT w."#id", w."booking", w."nights"
        FROM wanted w FULL JOIN claimed c ON c.key = w."#key" AND c.target_key = w."#id"::text
        WHERE coalesce(c.found, false)
        RETURNING g."stay"::text AS id, md5(jsonb_strip_nulls(to_jsonb(g.*))::text) AS made
    )
    SELECT array_agg(c.key), array_agg(c.item), array_agg(s.id), array_agg(s.made) INTO v_keys, v_items, v_ids, v_made
    FROM stored s FULL JOIN claimed c ON c.target_key = s.id
    WHERE coalesce(s.made, '') <> '';
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT 10, u.* FROM unnest(v_keys, v_items, v_ids, v_made) AS u
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;
    -- Rows that the application has not changed follow their source row.
    WITH changed AS (
        UPDATE "public"."stays" g SET "booking" = w."booking", "nights" = w."nights"
        FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
        ) w
        CROSS JOIN LATERAL (SELECT m.* FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = w."#key" AND m.item = '' OFFSET 0) m
        WHERE w."#reason" IS NULL AND g."stay" = m.target_key::bigint AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made AND (w."booking" IS DISTINCT FROM g."booking" OR w."nights" IS DISTINCT FROM g."nights")
        RETURNING m.key, m.item, m.target_key, md5(jsonb_strip_nulls(to_jsonb(g.*))::text) AS made
    )
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT 10, c.key, c.item, c.target_key, c.made FROM changed c
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;

    WITH found AS (
        SELECT d."#key" AS key, d."#reason" AS reason, d."#row" AS "row"
        FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
        ) d
        WHERE d."#reason" <> '#left_out'
          AND NOT (false AND EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = d."#key" AND m.item = '' OFFSET 0))
    ),
    mended AS (
        DELETE FROM changeover.reject r
        WHERE r.source_id = 10 AND r.key = ANY ("#keys")
          AND (r.key, r.reason, r."row") NOT IN (SELECT f.key, f.reason, f."row" FROM found f)
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
    SELECT 10, 'public.bookings', 'golden', f.key, f.reason, f."row"
    FROM found f
    WHERE NOT EXISTS (SELECT FROM changeover.reject r
                      WHERE r.source_id = 10 AND r.key = f.key AND r.reason = f.reason AND r."row" = f."row" OFFSET 0);
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT 10, 'forward', k.key, 'copying'
    FROM unnest("#keys") AS k (key)
    WHERE current_setting('changeover.draining', true) IS DISTINCT FROM '10'
      AND (current_setting('transaction_isolation') <> 'read committed'
           OR EXISTS (SELECT FROM changeover.source z WHERE z.id = 10 AND z.state NOT IN ('copied', 'archived')));
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_apply(text[])'::pg_catalog.regprocedure);

-- function m10_fragments
-- What the fixed functions must know of this source: pieces of SQL over x, the old table, and g, the new one.
CREATE OR REPLACE FUNCTION changeover.m10_fragments()
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT jsonb_build_object(
        'path', 'pg_catalog, "public", "changeover", pg_temp',
        'source', '"public"."bookings"',
        'target', '"public"."stays"',
        'written', ARRAY['"public"."stays"']::text[],
        'key', 'coalesce(x."id"::text, '''')',
        'row', 'to_jsonb(x.*)',
        'of_keys', 'x."id" = ANY ((array_remove($1, ''''))::integer[])',
        'lock', ARRAY['SELECT FROM "public"."bookings" x WHERE x."id" = ANY ((array_remove($1, ''''))::integer[]) ORDER BY x."id" FOR NO KEY UPDATE']::text[],
        'remove', 'SELECT changeover.m10_remove($1)',
        'remove_all', 'SELECT changeover.m10_remove(NULL)',
        'left_over', 'SELECT DISTINCT m.key FROM changeover.key_map m WHERE m.source_id = 10')
$changeover$;
SELECT changeover.keep_private('changeover.m10_fragments()'::pg_catalog.regprocedure);

-- function m10_forward
-- What the mirror does with the keys of a statement, within its settings.
CREATE OR REPLACE FUNCTION changeover.m10_forward(p_op text, "#keys" text[], p_new_column boolean)
RETURNS boolean
LANGUAGE plpgsql
AS $changeover$
DECLARE
    v_done boolean;
BEGIN
    IF "#keys" = '{}' OR changeover.left_alone(10, 'm10:r', "#keys") THEN
        RETURN true;
    END IF;
    PERFORM changeover.m10_apply("#keys");
    IF changeover.deferrable(ARRAY['"public"."stays"'::regclass]::oid[]) THEN
        v_done := changeover.check_constraints(ARRAY['"public"."stays"'::regclass]::oid[]);
    END IF;
    v_done := changeover.brought_back(10, "#keys");
    RETURN changeover.looked_at_again(10, "#keys", p_new_column);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_forward(text, text[], boolean)'::pg_catalog.regprocedure);

-- function m10_mirror
-- The forward mirror, once per statement. It collects the keys that the statement touched; _forward derives them from the
-- table as it is now (a trigger of the application may have changed the rows again). It never raises: what hinders it (a
-- snapshot that cannot see a newer row, a lock, a value, a column that is gone) leaves the keys in queue, or the whole source
-- where not even the keys can be told (docs/concurrency.md, C1, C18). It is kept short, because a session compiles it once for each of its triggers.
CREATE OR REPLACE FUNCTION changeover.m10_mirror()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_keys text[];
    v_before text[];
    v_done boolean;
BEGIN
    BEGIN
        IF TG_OP = 'INSERT' THEN
            v_keys := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM new_rows x);
        ELSIF TG_OP = 'DELETE' THEN
            v_keys := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM old_rows x);
        ELSE
            v_keys := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM new_rows x);
            v_before := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM old_rows x);
            IF v_before <> v_keys THEN
                v_keys := ARRAY(SELECT unnest(v_keys) UNION SELECT unnest(v_before));
            END IF;
        END IF;
        v_done := changeover.m10_forward(TG_OP, v_keys, coalesce(has_column_privilege(TG_RELID, 5::smallint, 'SELECT'), has_column_privilege(TG_RELID, 6::smallint, 'SELECT'), has_column_privilege(TG_RELID, 7::smallint, 'SELECT')) IS NOT NULL);
    EXCEPTION WHEN OTHERS THEN
        v_done := changeover.leave(10, coalesce(v_keys, ARRAY[NULL]::text[]), SQLSTATE);
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_mirror()'::pg_catalog.regprocedure);

-- function m10_compared
-- The comparison of a derive over pages of the source, in one snapshot. A row that the application has changed or deleted
-- is its own and is not compared. OFFSET 0: the pair and the derived row of each row of the range are looked for by their keys.
CREATE OR REPLACE FUNCTION changeover.m10_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE
                WHEN m.key IS NOT NULL AND false THEN NULL
                WHEN d."#reason" = '#left_out' THEN CASE WHEN md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made THEN 'orphan' END
                WHEN d."#reason" IS NOT NULL THEN
                    CASE
                        WHEN NOT EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = 10 AND r.key = d."#key"
                              AND (r.reason = d."#reason" AND r."row" = d."#row" OR false))
                            THEN 'unrejected'
                        WHEN md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made THEN 'orphan'
                    END
                WHEN m.key IS NULL THEN
                    CASE WHEN NOT EXISTS (
                        SELECT FROM changeover.reject r
                        WHERE r.source_id = 10 AND r.key = d."#key" AND (r."row" = d."#row" OR false))
                        THEN 'missing' END
                WHEN d."#key" IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0) THEN 'stale_reject'
                WHEN md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made AND (d."booking" IS DISTINCT FROM g."booking"
                    OR d."nights" IS DISTINCT FROM g."nights") THEN 'different'
            END AS kind,
            CASE WHEN m.key IS NOT NULL AND d."#reason" IS NULL
                THEN array_remove(ARRAY[CASE WHEN d."booking" IS DISTINCT FROM g."booking" THEN 'booking' END, CASE WHEN d."nights" IS DISTINCT FROM g."nights" THEN 'nights' END]::text[], NULL) END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
SELECT r.* FROM changeover.m10_new_rows_on_pages("#from", "#to") r
        ) d
        LEFT JOIN LATERAL (SELECT m.* FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = d."#key" AND m.item = '' OFFSET 0) m ON true
        LEFT JOIN LATERAL (SELECT g.* FROM "public"."stays" g WHERE g."stay" = m.target_key::bigint OFFSET 0) g ON true
    ) q
    WHERE q.kind IS NOT NULL;
    -- (one row each)

    -- Rejects and derived rows whose source row is no longer there; once, with the first range.
    IF "#first" THEN
        RETURN QUERY
        SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
        FROM changeover.reject r
        WHERE r.source_id = 10 AND r.id > 0
          AND NOT EXISTS (SELECT FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."bookings" x) k WHERE k.key = r.key);
        RETURN QUERY
        SELECT m.key, 'orphan'::text, NULL::text[], NULL::jsonb, jsonb_build_object('key', m.target_key)
        FROM changeover.key_map m JOIN "public"."stays" g ON g."stay" = m.target_key::bigint AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made
        WHERE m.source_id = 10 AND NOT EXISTS (SELECT FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."bookings" x) k WHERE k.key = m.key);
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_compared(tid, tid, boolean)'::pg_catalog.regprocedure);

-- function m10_count
-- Source rows that count, derived rows, rejects, in one snapshot. What the plan leaves out does not count. A row that
-- cannot be derived at all is a reject and does count: then the rows are looked at one by one.
CREATE OR REPLACE FUNCTION changeover.m10_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_out bigint;
    v_row record;
    v_is_out boolean;
BEGIN
    BEGIN
        SELECT count(*) INTO v_out FROM (
SELECT r.* FROM changeover.m10_new_rows_all() r
        ) d
        WHERE d."#reason" = '#left_out'
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = d."#key" OFFSET 0);
    EXCEPTION WHEN OTHERS THEN
        IF changeover.passes_on(SQLSTATE) THEN
            RAISE;
        END IF;
        v_out := 0;
        FOR v_row IN SELECT k.place, k.key FROM changeover.source_rows(10, NULL, NULL, NULL, NULL, false) k LOOP
            BEGIN
                SELECT d."#reason" = '#left_out' INTO v_is_out FROM (
SELECT r.* FROM changeover.m10_new_rows_at(ARRAY[v_row.place]) r
                ) d;
                IF v_is_out AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 10 AND m.key = v_row.key) THEN
                    v_out := v_out + 1;
                END IF;
            EXCEPTION WHEN data_exception OR program_limit_exceeded OR feature_not_supported THEN
                NULL;
            END;
        END LOOP;
    END;
    RETURN QUERY
    SELECT
        (SELECT count(*) FROM "public"."bookings") - v_out,
        p.migrated,
        (SELECT count(*) FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0),
        p.exempt
    FROM (
        SELECT count(*) AS migrated, count(*) FILTER (WHERE false) AS exempt
        FROM changeover.key_map m LEFT JOIN "public"."stays" g ON g."stay" = m.target_key::bigint
        WHERE m.source_id = 10
          AND EXISTS (SELECT FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."bookings" x) k WHERE k.key = m.key)
          AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.key = m.key)
    ) p;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_count()'::pg_catalog.regprocedure);

-- function x1_orphans
-- Rows of the target that claim a source in which they do not stand, over pages of the target. The
-- column list names the source, so that the repair knows whose key it is.
CREATE OR REPLACE FUNCTION changeover.x1_orphans(lo bigint, hi bigint)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
BEGIN
    NULL;
    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM "public"."stays" t WHERE t.ctid >= "#from" AND t.ctid < "#to";
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_orphans(bigint, bigint)'::pg_catalog.regprocedure);

-- function x1_take_back
-- The way back, some pairs a call: the derived rows go, and no other row of the target. One that the application has
-- changed since is kept in archive.derived_rows, whole, before it goes. The mirror is off by then.
CREATE OR REPLACE FUNCTION changeover.x1_take_back(p_pairs integer)
RETURNS TABLE (taken bigint, kept bigint)
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_source integer;
    v_keys text[];
    v_kept bigint := 0;
    v_taken bigint;
BEGIN
    SELECT m.source_id INTO v_source FROM changeover.key_map m WHERE m.source_id IN (10) LIMIT 1;
    v_keys := ARRAY(SELECT m.key FROM changeover.key_map m WHERE m.source_id = v_source LIMIT p_pairs);
    -- Locked first: what the application commits before is seen by the statements after, and nothing comes in between.
    PERFORM FROM changeover.key_map m JOIN "public"."stays" g ON g."stay" = m.target_key::bigint
    WHERE m.source_id = v_source AND m.key = ANY (v_keys)
    FOR UPDATE OF g;
    IF EXISTS (SELECT FROM changeover.key_map m JOIN "public"."stays" g ON g."stay" = m.target_key::bigint
               WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) IS DISTINCT FROM m.made)
    THEN
        IF pg_catalog.to_regnamespace('archive') IS NULL THEN
            CREATE SCHEMA archive;
            COMMENT ON SCHEMA archive IS 'Made by Changeover';
        END IF;
        IF pg_catalog.to_regclass('archive.derived_rows') IS NULL THEN
            CREATE TABLE archive.derived_rows (
                taken_at timestamptz NOT NULL DEFAULT clock_timestamp(), mapping text NOT NULL, target text NOT NULL,
                source_key text NOT NULL, "row" jsonb NOT NULL
            );
            COMMENT ON TABLE archive.derived_rows IS 'Rows that Changeover derived, the application changed, and a rollback took out';
            PERFORM changeover.keep_private('archive.derived_rows'::pg_catalog.regclass, true);
        END IF;
        INSERT INTO archive.derived_rows (mapping, target, source_key, "row")
        SELECT 'stays', 'public.stays', m.key, to_jsonb(g.*)
        FROM changeover.key_map m JOIN "public"."stays" g ON g."stay" = m.target_key::bigint
        WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) IS DISTINCT FROM m.made;
        GET DIAGNOSTICS v_kept = ROW_COUNT;
    END IF;
    DELETE FROM "public"."stays" g USING changeover.key_map m
    WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND g."stay" = m.target_key::bigint;
    DELETE FROM changeover.key_map m WHERE m.source_id = v_source AND m.key = ANY (v_keys);
    GET DIAGNOSTICS v_taken = ROW_COUNT;
    RETURN QUERY SELECT v_taken, v_kept;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_take_back(integer)'::pg_catalog.regprocedure);

-- trigger changeover_c000010_ins on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000010_ins" AFTER INSERT ON "public"."bookings" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_c000010_upd on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000010_upd" AFTER UPDATE ON "public"."bookings" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_c000010_del on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000010_del" AFTER DELETE ON "public"."bookings" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_c000010_trunc on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000010_trunc" AFTER TRUNCATE ON "public"."bookings" FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m10');

-- function m20_new_rows_on_pages
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m20_new_rows_on_pages("#from" tid, "#to" tid)
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "extra" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT w."#key",
    w."#row",
    w."#ctid",
    w."booking",
    w."extra",
    CASE WHEN w."#reason" IS NOT NULL THEN w."#reason"
        WHEN w."booking" IS NULL OR w."extra" IS NULL THEN 'not_null_violation'
        WHEN row_number() OVER (PARTITION BY w."#key", w."booking", w."extra", w."#reason" IS NULL ORDER BY w."#place") > 1 THEN 'repeated'
        WHEN EXISTS (SELECT FROM "public"."booked_extras" g WHERE g."booking" = w."booking" AND g."extra" = w."extra" OFFSET 0)
            AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = w."#key" AND m.item = jsonb_build_array(w."booking"::text, w."extra"::text)::text OFFSET 0) THEN 'id_taken' END AS "#reason",
    w."#unresolved"
FROM (
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" || jsonb_build_object('#item', jsonb_build_object('place', v."#place", 'text', v.text)) AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."extra",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((true), false) THEN '#left_out'
        WHEN (extra.id IS NULL) THEN 'no_extra' END AS "#reason",
    false AS "#unresolved",
    v."#place" AS "#place"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."extras" AS "extras",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."bookings" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT u.text, changeover.try_numeric(u.text) AS number, row_number() OVER () AS "#place"
    FROM (SELECT (string_to_table(s.extras, ','))::text AS text) u
) v
LEFT JOIN "public"."extras" "extra" ON extra.word = btrim(v.text)
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (extra.id)::integer AS "extra"
    OFFSET 0
) t
) w
$changeover$;
SELECT changeover.keep_private('changeover.m20_new_rows_on_pages(tid, tid)'::pg_catalog.regprocedure);

-- function m20_new_rows_at
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m20_new_rows_at("#places" tid[])
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "extra" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT w."#key",
    w."#row",
    w."#ctid",
    w."booking",
    w."extra",
    CASE WHEN w."#reason" IS NOT NULL THEN w."#reason"
        WHEN w."booking" IS NULL OR w."extra" IS NULL THEN 'not_null_violation'
        WHEN row_number() OVER (PARTITION BY w."#key", w."booking", w."extra", w."#reason" IS NULL ORDER BY w."#place") > 1 THEN 'repeated'
        WHEN EXISTS (SELECT FROM "public"."booked_extras" g WHERE g."booking" = w."booking" AND g."extra" = w."extra" OFFSET 0)
            AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = w."#key" AND m.item = jsonb_build_array(w."booking"::text, w."extra"::text)::text OFFSET 0) THEN 'id_taken' END AS "#reason",
    w."#unresolved"
FROM (
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" || jsonb_build_object('#item', jsonb_build_object('place', v."#place", 'text', v.text)) AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."extra",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((true), false) THEN '#left_out'
        WHEN (extra.id IS NULL) THEN 'no_extra' END AS "#reason",
    false AS "#unresolved",
    v."#place" AS "#place"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."extras" AS "extras",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE x.ctid = ANY ("#places")
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT u.text, changeover.try_numeric(u.text) AS number, row_number() OVER () AS "#place"
    FROM (SELECT (string_to_table(s.extras, ','))::text AS text) u
) v
LEFT JOIN "public"."extras" "extra" ON extra.word = btrim(v.text)
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (extra.id)::integer AS "extra"
    OFFSET 0
) t
) w
$changeover$;
SELECT changeover.keep_private('changeover.m20_new_rows_at(tid[])'::pg_catalog.regprocedure);

-- function m20_new_rows
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m20_new_rows("#keys" text[])
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "extra" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT w."#key",
    w."#row",
    w."#ctid",
    w."booking",
    w."extra",
    CASE WHEN w."#reason" IS NOT NULL THEN w."#reason"
        WHEN w."booking" IS NULL OR w."extra" IS NULL THEN 'not_null_violation'
        WHEN row_number() OVER (PARTITION BY w."#key", w."booking", w."extra", w."#reason" IS NULL ORDER BY w."#place") > 1 THEN 'repeated'
        WHEN EXISTS (SELECT FROM "public"."booked_extras" g WHERE g."booking" = w."booking" AND g."extra" = w."extra" OFFSET 0)
            AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = w."#key" AND m.item = jsonb_build_array(w."booking"::text, w."extra"::text)::text OFFSET 0) THEN 'id_taken' END AS "#reason",
    w."#unresolved"
FROM (
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" || jsonb_build_object('#item', jsonb_build_object('place', v."#place", 'text', v.text)) AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."extra",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((true), false) THEN '#left_out'
        WHEN (extra.id IS NULL) THEN 'no_extra' END AS "#reason",
    false AS "#unresolved",
    v."#place" AS "#place"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."extras" AS "extras",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE x."id" = ANY ((array_remove("#keys", ''))::integer[])
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT u.text, changeover.try_numeric(u.text) AS number, row_number() OVER () AS "#place"
    FROM (SELECT (string_to_table(s.extras, ','))::text AS text) u
) v
LEFT JOIN "public"."extras" "extra" ON extra.word = btrim(v.text)
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (extra.id)::integer AS "extra"
    OFFSET 0
) t
) w
$changeover$;
SELECT changeover.keep_private('changeover.m20_new_rows(text[])'::pg_catalog.regprocedure);

-- function m20_new_rows_all
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m20_new_rows_all()
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "booking" integer, "extra" integer, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT w."#key",
    w."#row",
    w."#ctid",
    w."booking",
    w."extra",
    CASE WHEN w."#reason" IS NOT NULL THEN w."#reason"
        WHEN w."booking" IS NULL OR w."extra" IS NULL THEN 'not_null_violation'
        WHEN row_number() OVER (PARTITION BY w."#key", w."booking", w."extra", w."#reason" IS NULL ORDER BY w."#place") > 1 THEN 'repeated'
        WHEN EXISTS (SELECT FROM "public"."booked_extras" g WHERE g."booking" = w."booking" AND g."extra" = w."extra" OFFSET 0)
            AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = w."#key" AND m.item = jsonb_build_array(w."booking"::text, w."extra"::text)::text OFFSET 0) THEN 'id_taken' END AS "#reason",
    w."#unresolved"
FROM (
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" || jsonb_build_object('#item', jsonb_build_object('place', v."#place", 'text', v.text)) AS "#row",
    s."#ctid" AS "#ctid",
    t."booking",
    t."extra",
    CASE WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce((true), false) THEN '#left_out'
        WHEN (extra.id IS NULL) THEN 'no_extra' END AS "#reason",
    false AS "#unresolved",
    v."#place" AS "#place"
FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."extras" AS "extras",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE true
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT u.text, changeover.try_numeric(u.text) AS number, row_number() OVER () AS "#place"
    FROM (SELECT (string_to_table(s.extras, ','))::text AS text) u
) v
LEFT JOIN "public"."extras" "extra" ON extra.word = btrim(v.text)
CROSS JOIN LATERAL (
    SELECT (s.id)::integer AS "booking",
        (extra.id)::integer AS "extra"
    OFFSET 0
) t
) w
$changeover$;
SELECT changeover.keep_private('changeover.m20_new_rows_all()'::pg_catalog.regprocedure);

-- function m20_batch
-- One batch of a derive: rows of the pages [lo, hi) that have no pair yet get a key of the target's own, a pair and a
-- derived row. The pair is claimed first: whoever else derives the same row waits there, so a row is made once.
-- What is claimed is joined by FULL JOIN, which cannot be a nested loop: the planner believes the rows of a batch to be ten.
-- OFFSET 0 keeps the search for a pair by its key: joined, the planner would read all pairs of the source for each row.
-- Without sequential scans, or the plan of the first batch, when there are no pairs, would read all of them for each row.
CREATE OR REPLACE FUNCTION changeover.m20_batch(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
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
    PERFORM set_config('changeover.origin', 'booked_extras:f', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1128419927, 20);
    WITH found AS MATERIALIZED (
SELECT r.* FROM changeover.m20_new_rows_on_pages("#from", "#to") r
    ),
    wanted AS MATERIALIZED (
        SELECT d.*, jsonb_build_array(d."booking"::text, d."extra"::text)::text AS "#id"
        FROM found d
        WHERE d."#reason" IS NULL
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text OFFSET 0)
    ),
    claimed AS (
        INSERT INTO changeover.key_map (source_id, key, item, target_key)
        SELECT 20, w."#key", jsonb_build_array(w."booking"::text, w."extra"::text)::text, w."#id"::text FROM wanted w
        ON CONFLICT DO NOTHING
        RETURNING key, item, target_key, true AS found
    ),
    stored AS (
        INSERT INTO "public"."booked_extras" AS g ("booking", "extra")
        OVERRIDING SYSTEM VALUE
        SELECT w."booking", w."extra"
        FROM wanted w FULL JOIN claimed c ON c.key = w."#key" AND c.target_key = w."#id"::text
        WHERE coalesce(c.found, false)
        RETURNING jsonb_build_array(g."booking"::text, g."extra"::text)::text AS id, md5(jsonb_strip_nulls(to_jsonb(g.*))::text) AS made
    ),
    refused AS (
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
        SELECT 20, 'public.bookings', 'golden', d."#key", d."#reason", d."#row"
        FROM found d
        WHERE d."#reason" <> '#left_out'
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text OFFSET 0)
          AND NOT EXISTS (SELECT FROM changeover.reject r
                          WHERE r.source_id = 20 AND r.key = d."#key" AND r.reason = d."#reason" AND r."row" = d."#row" OFFSET 0)
        RETURNING 1
    ),
    -- A mirror that runs before this commit does not see the reject: the drain looks at each again.
    again AS (
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT 20, 'forward', d."#key", 'batch:' || d."#reason", CASE WHEN d."#reason" = ANY (ARRAY[]::text[]) THEN (
            SELECT jsonb_build_object('place', x.ctid::text, 'xmin', x.xmin::text) FROM "public"."bookings" x WHERE x.ctid = d."#ctid"
        ) END
        FROM found d
        WHERE d."#reason" <> '#left_out'
    )
    SELECT (SELECT count(*) FROM "public"."bookings" x WHERE x.ctid >= "#from" AND x.ctid < "#to"), (SELECT count(*) FROM refused), a.*
    INTO v_seen, v_rejected, v_keys, v_items, v_ids, v_made
    FROM (
        SELECT array_agg(c.key), array_agg(c.item), array_agg(s.id), array_agg(s.made)
        FROM stored s FULL JOIN claimed c ON c.target_key = s.id
        WHERE coalesce(s.made, '') <> ''
    ) a;
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT 20, u.* FROM unnest(v_keys, v_items, v_ids, v_made) AS u
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;
    PERFORM changeover.check_constraints(ARRAY['"public"."booked_extras"'::regclass]::oid[]);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, coalesce(cardinality(v_made), 0)::bigint, v_rejected;
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_batch(bigint, bigint)'::pg_catalog.regprocedure);

-- function m20_remove
-- Take out the derived rows of these keys, or all of them where they are NULL; "#ids", where given, are those of them that are meant. A row that
-- the application has changed is its own: it stays, and so does its pair, by which the way back knows it. A pair whose row the application
-- has deleted goes.
CREATE OR REPLACE FUNCTION changeover.m20_remove("#keys" text[], "#ids" text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_removed text[];
BEGIN
    IF "#keys" IS NULL THEN
        "#keys" := ARRAY(SELECT m.key FROM changeover.key_map m WHERE m.source_id = 20);
    END IF;
    WITH removed AS (
        DELETE FROM "public"."booked_extras" g USING changeover.key_map m
        WHERE m.source_id = 20 AND m.key = ANY ("#keys") AND ("#ids" IS NULL OR m.target_key = ANY ("#ids"))
          AND (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer) AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made
        RETURNING m.target_key
    )
    SELECT array_agg(r.target_key) INTO v_removed FROM removed r;
    DELETE FROM changeover.key_map m
    WHERE m.source_id = 20 AND m.key = ANY ("#keys") AND ("#ids" IS NULL OR m.target_key = ANY ("#ids"))
      AND (m.target_key = ANY (v_removed) OR NOT EXISTS (SELECT FROM "public"."booked_extras" g WHERE (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer)));
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_remove(text[], text[])'::pg_catalog.regprocedure);

-- function m20_apply
-- Make the derived rows of these keys what the source says now: rows that have no source row any more go, new ones are
-- made, changed ones follow, rejects are written. New ones come before changed ones: to claim a pair waits for a batch
-- that is making the same row from an older version of the source row, and the next statement sees what it has made.
-- A batch under way may have read the row before this change, so until the copy is done the keys are looked at once more.
CREATE OR REPLACE FUNCTION changeover.m20_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
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
    PERFORM set_config('changeover.origin', 'booked_extras:f', true);
    SELECT array_agg(m.target_key) INTO v_gone
    FROM changeover.key_map m
    WHERE m.source_id = 20 AND m.key = ANY ("#keys")
      AND NOT (m.key, m.item) IN (SELECT d."#key", jsonb_build_array(d."booking"::text, d."extra"::text)::text FROM (
SELECT r.* FROM changeover.m20_new_rows("#keys") r
        ) d WHERE d."#reason" IS NULL);
    IF v_gone IS NOT NULL THEN
        PERFORM changeover.m20_remove("#keys", v_gone);
    END IF;
    WITH wanted AS MATERIALIZED (
        SELECT d.*, jsonb_build_array(d."booking"::text, d."extra"::text)::text AS "#id"
        FROM (
SELECT r.* FROM changeover.m20_new_rows("#keys") r
        ) d
        WHERE d."#reason" IS NULL
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text OFFSET 0)
    ),
    claimed AS (
        INSERT INTO changeover.key_map (source_id, key, item, target_key)
        SELECT 20, w."#key", jsonb_build_array(w."booking"::text, w."extra"::text)::text, w."#id"::text FROM wanted w
        ON CONFLICT DO NOTHING
        RETURNING key, item, target_key, true AS found
    ),
    stored AS (
        INSERT INTO "public"."booked_extras" AS g ("booking", "extra")
        OVERRIDING SYSTEM VALUE
        SELECT w."booking", w."extra"
        FROM wanted w FULL JOIN claimed c ON c.key = w."#key" AND c.target_key = w."#id"::text
        WHERE coalesce(c.found, false)
        RETURNING jsonb_build_array(g."booking"::text, g."extra"::text)::text AS id, md5(jsonb_strip_nulls(to_jsonb(g.*))::text) AS made
    )
    SELECT array_agg(c.key), array_agg(c.item), array_agg(s.id), array_agg(s.made) INTO v_keys, v_items, v_ids, v_made
    FROM stored s FULL JOIN claimed c ON c.target_key = s.id
    WHERE coalesce(s.made, '') <> '';
    INSERT INTO changeover.key_map (source_id, key, item, target_key, made)
    SELECT 20, u.* FROM unnest(v_keys, v_items, v_ids, v_made) AS u
    ON CONFLICT (key, source_id, item) DO UPDATE SET made = EXCLUDED.made;
    -- (once made, a row is not computed again)
    WITH found AS (
        SELECT d."#key" AS key, d."#reason" AS reason, d."#row" AS "row"
        FROM (
SELECT r.* FROM changeover.m20_new_rows("#keys") r
        ) d
        WHERE d."#reason" <> '#left_out'
          AND NOT (false AND EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text OFFSET 0))
    ),
    mended AS (
        DELETE FROM changeover.reject r
        WHERE r.source_id = 20 AND r.key = ANY ("#keys")
          AND (r.key, r.reason, r."row") NOT IN (SELECT f.key, f.reason, f."row" FROM found f)
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
    SELECT 20, 'public.bookings', 'golden', f.key, f.reason, f."row"
    FROM found f
    WHERE NOT EXISTS (SELECT FROM changeover.reject r
                      WHERE r.source_id = 20 AND r.key = f.key AND r.reason = f.reason AND r."row" = f."row" OFFSET 0);
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT 20, 'forward', k.key, 'copying'
    FROM unnest("#keys") AS k (key)
    WHERE current_setting('changeover.draining', true) IS DISTINCT FROM '20'
      AND (current_setting('transaction_isolation') <> 'read committed'
           OR EXISTS (SELECT FROM changeover.source z WHERE z.id = 20 AND z.state NOT IN ('copied', 'archived')));
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_apply(text[])'::pg_catalog.regprocedure);

-- function m20_fragments
-- What the fixed functions must know of this source: pieces of SQL over x, the old table, and g, the new one.
CREATE OR REPLACE FUNCTION changeover.m20_fragments()
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT jsonb_build_object(
        'path', 'pg_catalog, "public", "changeover", pg_temp',
        'source', '"public"."bookings"',
        'target', '"public"."booked_extras"',
        'written', ARRAY['"public"."booked_extras"']::text[],
        'key', 'coalesce(x."id"::text, '''')',
        'row', 'to_jsonb(x.*)',
        'of_keys', 'x."id" = ANY ((array_remove($1, ''''))::integer[])',
        'lock', ARRAY['SELECT FROM "public"."bookings" x WHERE x."id" = ANY ((array_remove($1, ''''))::integer[]) ORDER BY x."id" FOR NO KEY UPDATE']::text[],
        'remove', 'SELECT changeover.m20_remove($1)',
        'remove_all', 'SELECT changeover.m20_remove(NULL)',
        'left_over', 'SELECT DISTINCT m.key FROM changeover.key_map m WHERE m.source_id = 20')
$changeover$;
SELECT changeover.keep_private('changeover.m20_fragments()'::pg_catalog.regprocedure);

-- function m20_dependents
-- Keys of the rows that hang on changed rows of a lookup: a note names it, tells why they count, and the rows.
CREATE OR REPLACE FUNCTION changeover.m20_dependents(p_note jsonb)
RETURNS SETOF text
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
BEGIN
    IF p_note ->> 'lookup' = 'extra' THEN
        RETURN QUERY SELECT DISTINCT coalesce(s."#key", '') FROM (
    SELECT x."id" AS "#1",
        x."arrives" AS "#2",
        x."leaves" AS "#3",
        x."extras" AS "#4",
        x."id" AS "id",
        x."extras" AS "extras",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."bookings" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."bookings" x
    WHERE true
) s
CROSS JOIN (SELECT 'bookings'::text AS discriminator, 'public.bookings'::text AS name) d
CROSS JOIN LATERAL (
    SELECT u.text, changeover.try_numeric(u.text) AS number, row_number() OVER () AS "#place"
    FROM (SELECT (string_to_table(s.extras, ','))::text AS text) u
) v
        JOIN jsonb_populate_recordset(NULL::"public"."extras", p_note -> 'rows') "extra" ON extra.word = btrim(v.text);
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_dependents(jsonb)'::pg_catalog.regprocedure);

-- function m20_forward
-- What the mirror does with the keys of a statement, within its settings.
CREATE OR REPLACE FUNCTION changeover.m20_forward(p_op text, "#keys" text[], p_new_column boolean)
RETURNS boolean
LANGUAGE plpgsql
AS $changeover$
DECLARE
    v_done boolean;
BEGIN
    IF "#keys" = '{}' OR changeover.left_alone(20, 'm20:r', "#keys") THEN
        RETURN true;
    END IF;
    PERFORM changeover.m20_apply("#keys");
    IF changeover.deferrable(ARRAY['"public"."booked_extras"'::regclass]::oid[]) THEN
        v_done := changeover.check_constraints(ARRAY['"public"."booked_extras"'::regclass]::oid[]);
    END IF;
    v_done := changeover.brought_back(20, "#keys");
    RETURN changeover.looked_at_again(20, "#keys", p_new_column);
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_forward(text, text[], boolean)'::pg_catalog.regprocedure);

-- function m20_mirror
-- The forward mirror, once per statement. It collects the keys that the statement touched; _forward derives them from the
-- table as it is now (a trigger of the application may have changed the rows again). It never raises: what hinders it (a
-- snapshot that cannot see a newer row, a lock, a value, a column that is gone) leaves the keys in queue, or the whole source
-- where not even the keys can be told (docs/concurrency.md, C1, C18). It is kept short, because a session compiles it once for each of its triggers.
CREATE OR REPLACE FUNCTION changeover.m20_mirror()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_keys text[];
    v_before text[];
    v_done boolean;
BEGIN
    BEGIN
        IF TG_OP = 'INSERT' THEN
            v_keys := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM new_rows x);
        ELSIF TG_OP = 'DELETE' THEN
            v_keys := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM old_rows x);
        ELSE
            v_keys := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM new_rows x);
            v_before := ARRAY(SELECT coalesce(x."id"::text, '') AS key FROM old_rows x);
            IF v_before <> v_keys THEN
                v_keys := ARRAY(SELECT unnest(v_keys) UNION SELECT unnest(v_before));
            END IF;
        END IF;
        v_done := changeover.m20_forward(TG_OP, v_keys, coalesce(has_column_privilege(TG_RELID, 5::smallint, 'SELECT'), has_column_privilege(TG_RELID, 6::smallint, 'SELECT'), has_column_privilege(TG_RELID, 7::smallint, 'SELECT')) IS NOT NULL);
    EXCEPTION WHEN OTHERS THEN
        v_done := changeover.leave(20, coalesce(v_keys, ARRAY[NULL]::text[]), SQLSTATE);
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_mirror()'::pg_catalog.regprocedure);

-- function m20_compared
-- The comparison of a derive over pages of the source, in one snapshot. A row that the application has changed or deleted
-- is its own and is not compared. OFFSET 0: the pair and the derived row of each row of the range are looked for by their keys.
CREATE OR REPLACE FUNCTION changeover.m20_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE
                WHEN m.key IS NOT NULL AND false THEN NULL
                WHEN d."#reason" = '#left_out' THEN CASE WHEN md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made THEN 'orphan' END
                WHEN d."#reason" IS NOT NULL THEN
                    CASE
                        WHEN NOT EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = 20 AND r.key = d."#key"
                              AND (r.reason = d."#reason" AND r."row" = d."#row" OR r."row" = d."#row" - '#item'))
                            THEN 'unrejected'
                        WHEN md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made THEN 'orphan'
                    END
                WHEN m.key IS NULL THEN
                    CASE WHEN NOT EXISTS (
                        SELECT FROM changeover.reject r
                        WHERE r.source_id = 20 AND r.key = d."#key" AND (r."row" = d."#row" OR r."row" = d."#row" - '#item'))
                        THEN 'missing' END
                WHEN false THEN 'stale_reject'
                WHEN md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made AND (false) THEN 'different'
            END AS kind,
            CASE WHEN m.key IS NOT NULL AND d."#reason" IS NULL
                THEN array_remove(ARRAY[]::text[], NULL) END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
SELECT r.* FROM changeover.m20_new_rows_on_pages("#from", "#to") r
        ) d
        LEFT JOIN LATERAL (SELECT m.* FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text AND d."#reason" IS NULL OFFSET 0) m ON true
        LEFT JOIN LATERAL (SELECT g.* FROM "public"."booked_extras" g WHERE (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer) OFFSET 0) g ON true
    ) q
    WHERE q.kind IS NOT NULL;
    -- Derived rows and rejects of items that these source rows do not have any more. A reject that speaks of a whole row holds as long as
    -- nothing is derived from it. NOT IN, of values that are never NULL, is a look into a hash; the planner believes the rows of a range to
    -- be ten, and would read all of them again for each.
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT d."#key" AS key, jsonb_build_array(d."booking"::text, d."extra"::text)::text AS item
        FROM (
SELECT r.* FROM changeover.m20_new_rows_on_pages("#from", "#to") r
        ) d
        WHERE d."#reason" IS NULL
    )
    SELECT m.key, 'orphan'::text, NULL::text[], NULL::jsonb, jsonb_build_object('key', m.target_key)
    FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."bookings" x WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."bookings" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) k
    CROSS JOIN LATERAL (SELECT m.* FROM changeover.key_map m WHERE m.source_id = 20 AND m.key = k.key OFFSET 0) m
    CROSS JOIN LATERAL (SELECT FROM "public"."booked_extras" g WHERE (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer) AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made OFFSET 0) g
    WHERE (m.key, m.item) NOT IN (SELECT f.key, f.item FROM found f);
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT d."#key" AS key, d."#reason" AS reason, d."#row" AS "row"
        FROM (
SELECT r.* FROM changeover.m20_new_rows_on_pages("#from", "#to") r
        ) d
        LEFT JOIN LATERAL (SELECT m.key FROM changeover.key_map m WHERE d."#reason" IS NULL AND m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text OFFSET 0) m ON true
        WHERE m.key IS NULL AND d."#row" IS NOT NULL
    )
    SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
    FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."bookings" x WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."bookings" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) k
    CROSS JOIN LATERAL (SELECT r.* FROM changeover.reject r WHERE r.source_id = 20 AND r.key = k.key OFFSET 0) r
    WHERE (r.key, r."row", r.reason) NOT IN (SELECT f.key, f."row", f.reason FROM found f WHERE f.reason IS NOT NULL)
      AND (r.key, r."row") NOT IN (SELECT f.key, f."row" FROM found f WHERE f.reason IS NULL)
      AND (r.key, r."row") NOT IN (SELECT f.key, f."row" - '#item' FROM found f);


    -- Rejects and derived rows whose source row is no longer there; once, with the first range.
    IF "#first" THEN
        RETURN QUERY
        SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
        FROM changeover.reject r
        WHERE r.source_id = 20 AND r.id > 0
          AND NOT EXISTS (SELECT FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."bookings" x) k WHERE k.key = r.key);
        RETURN QUERY
        SELECT m.key, 'orphan'::text, NULL::text[], NULL::jsonb, jsonb_build_object('key', m.target_key)
        FROM changeover.key_map m JOIN "public"."booked_extras" g ON (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer) AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) = m.made
        WHERE m.source_id = 20 AND NOT EXISTS (SELECT FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."bookings" x) k WHERE k.key = m.key);
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_compared(tid, tid, boolean)'::pg_catalog.regprocedure);

-- function m20_count
-- Items that count, derived rows, rejects, in one snapshot: items = derived rows + rejects. A source row that is rejected whole, since one of
-- its items could not be stored, counts as one. Where a row cannot be derived at all, the rows are looked at one by one.
CREATE OR REPLACE FUNCTION changeover.m20_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_row record;
    v_counted bigint[];
    v_sum bigint[];
    v_whole bigint;
BEGIN
    BEGIN
        SELECT ARRAY[count(*), count(m.key), count(*) FILTER (WHERE false)] INTO v_sum FROM (
SELECT r.* FROM changeover.m20_new_rows_all() r
        ) d
        LEFT JOIN changeover.key_map m ON m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text AND d."#reason" IS NULL
        LEFT JOIN "public"."booked_extras" g ON (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer)
        WHERE d."#reason" IS DISTINCT FROM '#left_out'
            AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 20 AND r.key = d."#key" AND NOT r."row" ? '#item' OFFSET 0);
    EXCEPTION WHEN OTHERS THEN
        IF changeover.passes_on(SQLSTATE) THEN
            RAISE;
        END IF;
        v_sum := ARRAY[0, 0, 0];
        FOR v_row IN SELECT k.place FROM changeover.source_rows(20, NULL, NULL, NULL, NULL, NULL) k LOOP
            BEGIN
                SELECT ARRAY[count(*), count(m.key), count(*) FILTER (WHERE false)] INTO v_counted FROM (
SELECT r.* FROM changeover.m20_new_rows_at(ARRAY[v_row.place]) r
                ) d
                LEFT JOIN changeover.key_map m ON m.source_id = 20 AND m.key = d."#key" AND m.item = jsonb_build_array(d."booking"::text, d."extra"::text)::text AND d."#reason" IS NULL
                LEFT JOIN "public"."booked_extras" g ON (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer)
                WHERE d."#reason" IS DISTINCT FROM '#left_out'
            AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 20 AND r.key = d."#key" AND NOT r."row" ? '#item' OFFSET 0);
                v_sum := ARRAY(SELECT a.n + b.n FROM unnest(v_sum) WITH ORDINALITY AS a (n, nth) JOIN unnest(v_counted) WITH ORDINALITY AS b (n, nth)
                               USING (nth) ORDER BY nth);
            EXCEPTION WHEN data_exception OR program_limit_exceeded OR feature_not_supported THEN
                NULL;
            END;
        END LOOP;
    END;
    SELECT count(*) FILTER (WHERE NOT r."row" ? '#item'), count(*) INTO v_whole, rejected
    FROM changeover.reject r WHERE r.source_id = 20 AND r.id > 0;
    RETURN QUERY SELECT v_sum[1] + v_whole, v_sum[2], rejected, v_sum[3];
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_count()'::pg_catalog.regprocedure);

-- function m20_lookup0
-- A looked-up row has come, gone or changed: derived rows may follow it. In the application's transaction only a note is
-- left; the drain finds who depends on it. A change of many rows is one note: look at every row.
CREATE OR REPLACE FUNCTION changeover.m20_lookup0()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_rows jsonb;
BEGIN
    BEGIN
        IF TG_OP = 'INSERT' THEN
            SELECT jsonb_agg(to_jsonb(r)) INTO v_rows FROM (SELECT * FROM new_rows LIMIT 101) r;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT jsonb_agg(to_jsonb(r)) INTO v_rows FROM (SELECT * FROM old_rows LIMIT 101) r;
        ELSIF EXISTS (SELECT "id", "word" FROM old_rows EXCEPT ALL SELECT "id", "word" FROM new_rows)
            OR EXISTS (SELECT "id", "word" FROM new_rows EXCEPT ALL SELECT "id", "word" FROM old_rows)
        THEN
            SELECT jsonb_agg(to_jsonb(r)) INTO v_rows
            FROM (SELECT * FROM old_rows UNION ALL SELECT * FROM new_rows LIMIT 101) r;
        END IF;
        IF jsonb_array_length(v_rows) > 100 THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (20, 'forward', NULL, 'lookup');
        ELSIF v_rows IS NOT NULL THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            VALUES (20, 'forward', NULL, 'lookup', jsonb_build_object('lookup', 'extra', 'rows', v_rows));
        END IF;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (20, 'forward', NULL, 'lookup');
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.m20_lookup0()'::pg_catalog.regprocedure);

-- function x2_orphans
-- Rows of the target that claim a source in which they do not stand, over pages of the target. The
-- column list names the source, so that the repair knows whose key it is.
CREATE OR REPLACE FUNCTION changeover.x2_orphans(lo bigint, hi bigint)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
BEGIN
    NULL;
    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM "public"."booked_extras" t WHERE t.ctid >= "#from" AND t.ctid < "#to";
END
$changeover$;
SELECT changeover.keep_private('changeover.x2_orphans(bigint, bigint)'::pg_catalog.regprocedure);

-- function x2_take_back
-- The way back, some pairs a call: the derived rows go, and no other row of the target. One that the application has
-- changed since is kept in archive.derived_rows, whole, before it goes. The mirror is off by then.
CREATE OR REPLACE FUNCTION changeover.x2_take_back(p_pairs integer)
RETURNS TABLE (taken bigint, kept bigint)
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_source integer;
    v_keys text[];
    v_kept bigint := 0;
    v_taken bigint;
BEGIN
    SELECT m.source_id INTO v_source FROM changeover.key_map m WHERE m.source_id IN (20) LIMIT 1;
    v_keys := ARRAY(SELECT m.key FROM changeover.key_map m WHERE m.source_id = v_source LIMIT p_pairs);
    -- Locked first: what the application commits before is seen by the statements after, and nothing comes in between.
    PERFORM FROM changeover.key_map m JOIN "public"."booked_extras" g ON (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer)
    WHERE m.source_id = v_source AND m.key = ANY (v_keys)
    FOR UPDATE OF g;
    IF EXISTS (SELECT FROM changeover.key_map m JOIN "public"."booked_extras" g ON (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer)
               WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) IS DISTINCT FROM m.made)
    THEN
        IF pg_catalog.to_regnamespace('archive') IS NULL THEN
            CREATE SCHEMA archive;
            COMMENT ON SCHEMA archive IS 'Made by Changeover';
        END IF;
        IF pg_catalog.to_regclass('archive.derived_rows') IS NULL THEN
            CREATE TABLE archive.derived_rows (
                taken_at timestamptz NOT NULL DEFAULT clock_timestamp(), mapping text NOT NULL, target text NOT NULL,
                source_key text NOT NULL, "row" jsonb NOT NULL
            );
            COMMENT ON TABLE archive.derived_rows IS 'Rows that Changeover derived, the application changed, and a rollback took out';
            PERFORM changeover.keep_private('archive.derived_rows'::pg_catalog.regclass, true);
        END IF;
        INSERT INTO archive.derived_rows (mapping, target, source_key, "row")
        SELECT 'booked_extras', 'public.booked_extras', m.key, to_jsonb(g.*)
        FROM changeover.key_map m JOIN "public"."booked_extras" g ON (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer)
        WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND md5(jsonb_strip_nulls(to_jsonb(g.*))::text) IS DISTINCT FROM m.made;
        GET DIAGNOSTICS v_kept = ROW_COUNT;
    END IF;
    DELETE FROM "public"."booked_extras" g USING changeover.key_map m
    WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND (g."booking" = (m.target_key::jsonb ->> 0)::integer AND g."extra" = (m.target_key::jsonb ->> 1)::integer);
    DELETE FROM changeover.key_map m WHERE m.source_id = v_source AND m.key = ANY (v_keys);
    GET DIAGNOSTICS v_taken = ROW_COUNT;
    RETURN QUERY SELECT v_taken, v_kept;
END
$changeover$;
SELECT changeover.keep_private('changeover.x2_take_back(integer)'::pg_catalog.regprocedure);

-- trigger changeover_c000020_ins on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000020_ins" AFTER INSERT ON "public"."bookings" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m20_mirror();

-- trigger changeover_c000020_upd on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000020_upd" AFTER UPDATE ON "public"."bookings" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m20_mirror();

-- trigger changeover_c000020_del on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000020_del" AFTER DELETE ON "public"."bookings" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m20_mirror();

-- trigger changeover_c000020_trunc on "public"."bookings"
CREATE OR REPLACE TRIGGER "changeover_c000020_trunc" AFTER TRUNCATE ON "public"."bookings" FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m20');

-- trigger changeover_m20_lookup0_ins on "public"."extras"
CREATE OR REPLACE TRIGGER "changeover_m20_lookup0_ins" AFTER INSERT ON "public"."extras" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m20_lookup0();

-- trigger changeover_m20_lookup0_upd on "public"."extras"
CREATE OR REPLACE TRIGGER "changeover_m20_lookup0_upd" AFTER UPDATE ON "public"."extras" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m20_lookup0();

-- trigger changeover_m20_lookup0_del on "public"."extras"
CREATE OR REPLACE TRIGGER "changeover_m20_lookup0_del" AFTER DELETE ON "public"."extras" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m20_lookup0();
