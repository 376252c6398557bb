-- What a small plan of kind in_place compiles to. `make golden` writes this file; see tests/unit/golden/plans.py.

-- function m10_new_rows_on_pages
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows_on_pages("#from" tid, "#to" tid)
RETURNS TABLE ("#key" text, "#ctid" tid, "state_id" integer, "minutes" integer, "#reason1" text, "#open1" boolean, "#differs1" boolean, "#reason2" text, "#open2" boolean, "#differs2" boolean, "#unresolved" boolean, "#aside" boolean, "#fills" boolean, "#differs" boolean, "#reason" text, "#originals" jsonb)
LANGUAGE sql
STABLE
AS $changeover$
SELECT s."id"::text AS "#key",
    s."#ctid" AS "#ctid",
    w."state_id",
    w."minutes",
    r."#reason1",
    v."#open1",
    v."#differs1",
    r."#reason2",
    v."#open2",
    v."#differs2",
    (false) AS "#unresolved",
    (false OR ((v."#open1" AND r."#reason1" IS NOT NULL) OR (v."#open2" AND r."#reason2" IS NOT NULL))) AS "#aside",
    (NOT (false) AND (((v."#open1" AND v."#differs1") OR (v."#open2" AND v."#differs2")))) AS "#fills",
    (v."#differs1" OR v."#differs2") AS "#differs",
    NULL::text AS "#reason",
    NULL::jsonb AS "#originals"
FROM (SELECT x.*, x.ctid AS "#ctid" FROM "public"."tasks" x WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."tasks" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) s
LEFT JOIN "public"."states" "state" ON state.code = changeover.fold(s.state)
CROSS JOIN LATERAL (
    SELECT (state.id)::integer AS "state_id",
        ((changeover.try_numeric(s.hours) * 60)::integer)::integer AS "minutes"
    OFFSET 0
) t
CROSS JOIN LATERAL (
    SELECT CASE WHEN (s.state IS NOT NULL AND state.id IS NULL) THEN 'no_state' END AS "#reason1",
        NULL::text AS "#reason2"
) r
CROSS JOIN LATERAL (
    SELECT CASE WHEN r."#reason1" IS NULL THEN t."state_id" ELSE (NULL)::integer END AS "state_id",
        CASE WHEN r."#reason2" IS NULL THEN t."minutes" ELSE (NULL)::integer END AS "minutes"
    OFFSET 0
) w
CROSS JOIN LATERAL (
    SELECT (s."state_id" IS NULL) AS "#open1",
        ((((w."state_id") IS DISTINCT FROM (s."state_id"))) AND CASE WHEN (s."state_id" IS NULL) THEN true ELSE NOT (SELECT NOT ((s."state") COLLATE "C" IS DISTINCT FROM (o."state") COLLATE "C") FROM (SELECT s.*) t CROSS JOIN LATERAL (SELECT b."state", b."hours" FROM (SELECT ((SELECT state.code FROM (SELECT) one LEFT JOIN "public"."states" "state" ON state.id = t.state_id))::text AS "state", ((t.minutes / 60.0)::text)::text AS "hours" OFFSET 0) b) o) END) AS "#differs1",
        (s."minutes" IS NULL) AS "#open2",
        ((((w."minutes") IS DISTINCT FROM (s."minutes"))) AND CASE WHEN (s."minutes" IS NULL) THEN true ELSE NOT (SELECT NOT ((s."hours") COLLATE "C" IS DISTINCT FROM (o."hours") COLLATE "C") FROM (SELECT s.*) t CROSS JOIN LATERAL (SELECT b."state", b."hours" FROM (SELECT ((SELECT state.code FROM (SELECT) one LEFT JOIN "public"."states" "state" ON state.id = t.state_id))::text AS "state", ((t.minutes / 60.0)::text)::text AS "hours" OFFSET 0) b) o) END) AS "#differs2"
    OFFSET 0
) v
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows_on_pages(tid, tid)'::pg_catalog.regprocedure);

-- function m10_new_rows
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows("#keys" text[])
RETURNS TABLE ("#key" text, "#ctid" tid, "state_id" integer, "minutes" integer, "#reason1" text, "#open1" boolean, "#differs1" boolean, "#reason2" text, "#open2" boolean, "#differs2" boolean, "#unresolved" boolean, "#aside" boolean, "#fills" boolean, "#differs" boolean, "#reason" text, "#originals" jsonb)
LANGUAGE sql
STABLE
AS $changeover$
SELECT s."id"::text AS "#key",
    s."#ctid" AS "#ctid",
    w."state_id",
    w."minutes",
    r."#reason1",
    v."#open1",
    v."#differs1",
    r."#reason2",
    v."#open2",
    v."#differs2",
    (false) AS "#unresolved",
    (false OR ((v."#open1" AND r."#reason1" IS NOT NULL) OR (v."#open2" AND r."#reason2" IS NOT NULL))) AS "#aside",
    (NOT (false) AND (((v."#open1" AND v."#differs1") OR (v."#open2" AND v."#differs2")))) AS "#fills",
    (v."#differs1" OR v."#differs2") AS "#differs",
    NULL::text AS "#reason",
    NULL::jsonb AS "#originals"
FROM (SELECT x.*, x.ctid AS "#ctid" FROM "public"."tasks" x WHERE x."id" = ANY (("#keys")::bigint[])) s
LEFT JOIN "public"."states" "state" ON state.code = changeover.fold(s.state)
CROSS JOIN LATERAL (
    SELECT (state.id)::integer AS "state_id",
        ((changeover.try_numeric(s.hours) * 60)::integer)::integer AS "minutes"
    OFFSET 0
) t
CROSS JOIN LATERAL (
    SELECT CASE WHEN (s.state IS NOT NULL AND state.id IS NULL) THEN 'no_state' END AS "#reason1",
        NULL::text AS "#reason2"
) r
CROSS JOIN LATERAL (
    SELECT CASE WHEN r."#reason1" IS NULL THEN t."state_id" ELSE (NULL)::integer END AS "state_id",
        CASE WHEN r."#reason2" IS NULL THEN t."minutes" ELSE (NULL)::integer END AS "minutes"
    OFFSET 0
) w
CROSS JOIN LATERAL (
    SELECT (s."state_id" IS NULL) AS "#open1",
        ((((w."state_id") IS DISTINCT FROM (s."state_id"))) AND CASE WHEN (s."state_id" IS NULL) THEN true ELSE NOT (SELECT NOT ((s."state") COLLATE "C" IS DISTINCT FROM (o."state") COLLATE "C") FROM (SELECT s.*) t CROSS JOIN LATERAL (SELECT b."state", b."hours" FROM (SELECT ((SELECT state.code FROM (SELECT) one LEFT JOIN "public"."states" "state" ON state.id = t.state_id))::text AS "state", ((t.minutes / 60.0)::text)::text AS "hours" OFFSET 0) b) o) END) AS "#differs1",
        (s."minutes" IS NULL) AS "#open2",
        ((((w."minutes") IS DISTINCT FROM (s."minutes"))) AND CASE WHEN (s."minutes" IS NULL) THEN true ELSE NOT (SELECT NOT ((s."hours") COLLATE "C" IS DISTINCT FROM (o."hours") COLLATE "C") FROM (SELECT s.*) t CROSS JOIN LATERAL (SELECT b."state", b."hours" FROM (SELECT ((SELECT state.code FROM (SELECT) one LEFT JOIN "public"."states" "state" ON state.id = t.state_id))::text AS "state", ((t.minutes / 60.0)::text)::text AS "hours" OFFSET 0) b) o) END) AS "#differs2"
    OFFSET 0
) v
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows(text[])'::pg_catalog.regprocedure);

-- function m10_new_rows_of
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows_of("#new" "public"."tasks")
RETURNS TABLE ("state_id" integer, "minutes" integer, "#unresolved" boolean, "#reason" text)
LANGUAGE sql
STABLE
AS $changeover$
SELECT CASE WHEN (CASE WHEN (s.state IS NOT NULL AND state.id IS NULL) THEN 'no_state' END) IS NULL THEN t."state_id" ELSE (NULL)::integer END AS "state_id",
    CASE WHEN (NULL::text) IS NULL THEN t."minutes" ELSE (NULL)::integer END AS "minutes",
    (false) AS "#unresolved",
    NULL::text AS "#reason"
FROM (SELECT ("#new").*, NULL::tid AS "#ctid") s
LEFT JOIN "public"."states" "state" ON state.code = changeover.fold(s.state)
CROSS JOIN LATERAL (SELECT (state.id)::integer AS "state_id", ((changeover.try_numeric(s.hours) * 60)::integer)::integer AS "minutes") t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows_of("public"."tasks")'::pg_catalog.regprocedure);

-- function m10_old_row_of
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_old_row_of("#new" "public"."tasks")
RETURNS TABLE ("state" text, "hours" text)
LANGUAGE sql
STABLE
AS $changeover$
SELECT o.* FROM (SELECT ("#new").*) t CROSS JOIN LATERAL (SELECT b."state", b."hours" FROM (SELECT ((SELECT state.code FROM (SELECT) one LEFT JOIN "public"."states" "state" ON state.id = t.state_id))::text AS "state", ((t.minutes / 60.0)::text)::text AS "hours" OFFSET 0) b) o
$changeover$;
SELECT changeover.keep_private('changeover.m10_old_row_of("public"."tasks")'::pg_catalog.regprocedure);

-- function m10_before
-- The mirror of a table that is changed in place: computes the columns of the other side before the row is stored.
-- Who has changed the new columns of a group counts, even where the old ones were changed in the same statement; the
-- application that changed only old ones has the new ones computed. New columns that all are as they were added are
-- not computed yet, whichever version has written the row.
-- It never raises: what it cannot compute it leaves, and says so to the second trigger, which knows that the row is stored.
-- Only where contract has made a column NOT NULL there is no row without it, and the error is the application's to know.
CREATE OR REPLACE FUNCTION changeover.m10_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET lock_timeout = '450ms'
AS $changeover$
#variable_conflict use_column
DECLARE
    v_inserts boolean := TG_OP = 'INSERT';
    v_applied boolean := coalesce(current_setting('changeover.origin', true), '') = '';
    v_given boolean[] := ARRAY[v_applied AND CASE WHEN v_inserts THEN NOT (NEW."state_id" IS NULL) ELSE (((NEW."state_id") IS DISTINCT FROM (OLD."state_id"))) END AND NOT (pg_trigger_depth() > 1 AND (NEW."state_id" IS NULL)), v_applied AND CASE WHEN v_inserts THEN NOT (NEW."minutes" IS NULL) ELSE (((NEW."minutes") IS DISTINCT FROM (OLD."minutes"))) END AND NOT (pg_trigger_depth() > 1 AND (NEW."minutes" IS NULL))];
    v_copying boolean := false;
    v_new record;
    v_old record;
    v_said jsonb := '{}';
    v_diverged jsonb := '{}';
    v_broken text[];
BEGIN
    -- (no column says what it reads)
    BEGIN
        IF v_given[1] THEN
            BEGIN
                SELECT o."state" INTO v_old FROM changeover.m10_old_row_of(NEW) o;
                IF (CASE WHEN v_inserts THEN ((NEW."state") COLLATE "C" IS DISTINCT FROM ((NULL)::text) COLLATE "C") ELSE ((NEW."state") COLLATE "C" IS DISTINCT FROM (OLD."state") COLLATE "C") END) THEN
                    -- Both sides are given. Where the old one says the same, in whatever spelling, it stays.
                    SELECT d."state_id", d."#unresolved" INTO v_new FROM changeover.m10_new_rows_of(NEW) d;
                    v_given[1] := (((v_new."state_id") IS DISTINCT FROM (NEW."state_id")));
                    IF v_given[1] THEN
                        v_diverged := v_diverged || CASE WHEN ((NEW."state") COLLATE "C" IS DISTINCT FROM (v_old."state") COLLATE "C") THEN jsonb_build_object('state', NEW."state"::text) ELSE '{}'::jsonb END;
                    END IF;
                END IF;
                IF v_given[1] THEN
                    NEW."state" := v_old."state";
                END IF;
            EXCEPTION WHEN OTHERS THEN
                
                v_said := v_said || jsonb_build_object('reverse', SQLSTATE);
            END;
        END IF;
        IF v_given[2] THEN
            BEGIN
                SELECT o."hours" INTO v_old FROM changeover.m10_old_row_of(NEW) o;
                IF (CASE WHEN v_inserts THEN ((NEW."hours") COLLATE "C" IS DISTINCT FROM ((NULL)::text) COLLATE "C") ELSE ((NEW."hours") COLLATE "C" IS DISTINCT FROM (OLD."hours") COLLATE "C") END) THEN
                    -- Both sides are given. Where the old one says the same, in whatever spelling, it stays.
                    SELECT d."minutes", d."#unresolved" INTO v_new FROM changeover.m10_new_rows_of(NEW) d;
                    v_given[2] := (((v_new."minutes") IS DISTINCT FROM (NEW."minutes")));
                    IF v_given[2] THEN
                        v_diverged := v_diverged || CASE WHEN ((NEW."hours") COLLATE "C" IS DISTINCT FROM (v_old."hours") COLLATE "C") THEN jsonb_build_object('hours', NEW."hours"::text) ELSE '{}'::jsonb END;
                    END IF;
                END IF;
                IF v_given[2] THEN
                    NEW."hours" := v_old."hours";
                END IF;
            EXCEPTION WHEN OTHERS THEN
                
                v_said := v_said || jsonb_build_object('reverse', SQLSTATE);
            END;
        END IF;
        IF ((NEW."state_id" IS NULL) OR (NOT v_given[1] AND (v_inserts OR (((NEW."state") COLLATE "C" IS DISTINCT FROM (OLD."state") COLLATE "C"))))) OR ((NEW."minutes" IS NULL) OR (NOT v_given[2] AND (v_inserts OR (((NEW."hours") COLLATE "C" IS DISTINCT FROM (OLD."hours") COLLATE "C"))))) THEN
            SELECT d."state_id", d."minutes", d."#unresolved" INTO v_new FROM changeover.m10_new_rows_of(NEW) d;
            IF v_new."#unresolved" THEN
                PERFORM changeover.m10_create(NEW);
                SELECT d."state_id", d."minutes", d."#unresolved" INTO v_new FROM changeover.m10_new_rows_of(NEW) d;
            END IF;
            IF (NEW."state_id" IS NULL) OR (NOT v_given[1] AND (v_inserts OR (((NEW."state") COLLATE "C" IS DISTINCT FROM (OLD."state") COLLATE "C")))) THEN
                NEW."state_id" := v_new."state_id";
            END IF;
            IF (NEW."minutes" IS NULL) OR (NOT v_given[2] AND (v_inserts OR (((NEW."hours") COLLATE "C" IS DISTINCT FROM (OLD."hours") COLLATE "C")))) THEN
                NEW."minutes" := v_new."minutes";
            END IF;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        -- (no column is required)
        IF (NEW."state_id" IS NULL) OR (NOT v_given[1] AND (v_inserts OR (((NEW."state") COLLATE "C" IS DISTINCT FROM (OLD."state") COLLATE "C")))) THEN
            NEW."state_id" := (NULL)::integer;
            v_said := v_said || jsonb_build_object('forward', SQLSTATE);
        END IF;
        IF (NEW."minutes" IS NULL) OR (NOT v_given[2] AND (v_inserts OR (((NEW."hours") COLLATE "C" IS DISTINCT FROM (OLD."hours") COLLATE "C")))) THEN
            NEW."minutes" := (NULL)::integer;
            v_said := v_said || jsonb_build_object('forward', SQLSTATE);
        END IF;
    END;
    -- (no rule lets a row through)
    IF NOT v_inserts AND NOT ((OLD."state_id" IS NULL) OR (OLD."minutes" IS NULL)) THEN
        IF EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.key = OLD."id"::text) THEN
            v_said := v_said || jsonb_build_object('forward', 'rejected');
        END IF;
    END IF;
    IF v_diverged <> '{}' THEN
        v_said := v_said || jsonb_build_object('diverged', v_diverged);
    END IF;
    IF v_said <> '{}' THEN
        PERFORM changeover.say(10, TG_OP, NEW."id"::text, v_said);
    END IF;
    RETURN NEW;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_before()'::pg_catalog.regprocedure);

-- function m10_create
-- The rows that the lookups of one new row miss. Seldom needed by a session, so its plans are not kept.
CREATE OR REPLACE FUNCTION changeover.m10_create("#new" "public"."tasks")
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET plan_cache_mode = force_custom_plan
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    -- Not the application's own rows: another mapping that writes this table back leaves them alone.
    PERFORM set_config('changeover.origin', 'm10:i', true);
    NULL;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_create("public"."tasks")'::pg_catalog.regprocedure);

-- function m10_after
-- What the first trigger of a table changed in place could not do before the row was stored: the rejects of a row that
-- is not computed (or no longer rejected), and what is left to the queue. It runs for such rows only, and never raises.
CREATE OR REPLACE FUNCTION changeover.m10_after()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET lock_timeout = '450ms'
AS $changeover$
#variable_conflict use_column
DECLARE
    v_said jsonb;
    v_keys text[] := ARRAY(SELECT DISTINCT k.key FROM unnest(ARRAY[OLD."id"::text, NEW."id"::text]) AS k (key) WHERE k.key IS NOT NULL);
    v_state text;
BEGIN
    IF TG_OP = 'DELETE' AND NOT ((OLD."state_id" IS NULL) OR (OLD."minutes" IS NULL)) AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.key = OLD."id"::text) THEN
        RETURN NULL;
    END IF;
    
    IF TG_OP <> 'DELETE' THEN
        v_said := changeover.heard(10, TG_OP, NEW."id"::text);
    END IF;
    IF v_said IS NOT NULL THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT 10, w.direction, NEW."id"::text, v_said ->> w.direction
        FROM unnest(ARRAY['forward', 'reverse']) AS w (direction)
        WHERE v_said ? w.direction;
        INSERT INTO changeover.diverged AS g (source_id, key, columns)
        SELECT 10, NEW."id"::text, v_said -> 'diverged' WHERE v_said ? 'diverged'
        ON CONFLICT (source_id, key) DO UPDATE SET columns = g.columns || EXCLUDED.columns;
        INSERT INTO changeover.filled (source_id, key, originals)
        SELECT 10, NEW."id"::text, v_said -> 'filled' WHERE v_said ? 'filled';
    END IF;
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            -- A reject that was written after this snapshot cannot be seen from here.
            RAISE serialization_failure;
        END IF;
        PERFORM changeover.m10_judge(v_keys);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT 10, 'forward', k.key, v_state FROM unnest(v_keys) AS k (key);
    END;
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_after()'::pg_catalog.regprocedure);

-- function m10_lookup0
-- A lookup's row has changed in columns that the way back reads: the old columns of the rows that refer to it say
-- something else now. The application's transaction only notes it; the drain finds the rows. It never raises (C1): where a column
-- that is read has another name now, every row that was updated is looked at.
CREATE OR REPLACE FUNCTION changeover.m10_lookup0()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
BEGIN
    BEGIN
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT 10, 'reverse', NULL, 'lookup', jsonb_build_object('lookup', 'state', 'rows', jsonb_agg(CAST(n."id" AS text)))
        FROM new_rows n JOIN old_rows o ON o."id" = n."id"
        WHERE n."code" IS DISTINCT FROM o."code"
        HAVING count(*) > 0;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT 10, 'reverse', NULL, 'lookup', jsonb_build_object('lookup', 'state', 'rows', jsonb_agg(to_jsonb(n) ->> 'id'))
        FROM new_rows n HAVING count(*) > 0;
    END;
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_lookup0()'::pg_catalog.regprocedure);

-- function m10_judge
-- The rejects of these keys become exactly those that apply now, one for each group of columns that cannot be computed;
-- a waived one stays waived. The caller is a writer of the rows or has locked them.
CREATE OR REPLACE FUNCTION changeover.m10_judge("#keys" text[])
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
BEGIN
    WITH wanted AS (
        SELECT d."#key" AS key, w.reason, w.detail, to_jsonb(g.*) AS "row"
        FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
        ) d
        JOIN "public"."tasks" g ON g.ctid = d."#ctid"
        CROSS JOIN LATERAL (VALUES (d."#reason1", 'state_id'::text, d."#open1"), (d."#reason2", 'minutes'::text, d."#open2")) w (reason, detail, is_open)
        WHERE w.reason IS NOT NULL AND w.is_open
    ),
    standing AS (
        SELECT r.id, r.key, r.reason, r.detail, r."row" FROM changeover.reject r WHERE r.source_id = 10 AND r.key = ANY ("#keys")
    ),
    settled AS (
        DELETE FROM changeover.reject r
        WHERE r.id = ANY (ARRAY(
            SELECT s.id FROM standing s
            WHERE NOT EXISTS (SELECT FROM wanted w
                              WHERE (w.key, w.reason, w.detail, w."row") IS NOT DISTINCT FROM (s.key, s.reason, s.detail, s."row"))))
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
    SELECT 10, 'public.tasks', 'golden', w.key, w.reason, w.detail, w."row"
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM standing s
                      WHERE (w.key, w.reason, w.detail, w."row") IS NOT DISTINCT FROM (s.key, s.reason, s.detail, s."row"));
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_judge(text[])'::pg_catalog.regprocedure);

-- function m10_sync
-- Make both sides of these rows agree, for whoever is not a writer of them: the drain, the repair, the replay. The rows
-- are locked before they are read. A row whose new columns wait to be told to the old ones is left alone until they are.
CREATE OR REPLACE FUNCTION changeover.m10_sync("#keys" text[])
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_changed bigint;
BEGIN
    "#keys" := ARRAY(
        SELECT DISTINCT k.key FROM unnest("#keys") AS k (key)
        WHERE NOT EXISTS (SELECT FROM changeover.queue c
                          WHERE c.source_id = 10 AND c.direction = 'reverse' AND c.key = k.key));
    PERFORM set_config('changeover.origin', 'm10:i', true);
    PERFORM FROM "public"."tasks" x WHERE x."id" = ANY (("#keys")::bigint[]) ORDER BY x."id" FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
    ) d WHERE d."#unresolved") THEN
        NULL;
    END IF;
    WITH changed AS (
        UPDATE "public"."tasks" g SET "state_id" = CASE WHEN d."#differs1" THEN d."state_id" ELSE g."state_id" END, "minutes" = CASE WHEN d."#differs2" THEN d."minutes" ELSE g."minutes" END
        FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
        ) d
        WHERE g.ctid = d."#ctid" AND d."#differs"
        RETURNING d."#key" AS key, d."#originals" AS originals
    )
    SELECT count(*) INTO v_changed FROM changed;
    PERFORM changeover.m10_judge("#keys");
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_sync(text[])'::pg_catalog.regprocedure);

-- function m10_sync_reverse
-- The old columns of these rows become what the new ones say: the mirror of a write of the new side was hindered.
CREATE OR REPLACE FUNCTION changeover.m10_sync_reverse("#keys" text[])
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', 'm10:i', true);
    PERFORM FROM "public"."tasks" x WHERE x."id" = ANY (("#keys")::bigint[]) ORDER BY x."id" FOR NO KEY UPDATE;
    UPDATE "public"."tasks" g SET "state" = CASE WHEN d."#differs1" THEN o."state" ELSE g."state" END, "hours" = CASE WHEN d."#differs2" THEN o."hours" ELSE g."hours" END
    FROM (SELECT r.* FROM changeover.m10_new_rows("#keys") r) d
    JOIN "public"."tasks" h ON h.ctid = d."#ctid"
    CROSS JOIN LATERAL changeover.m10_old_row_of(h) o
    WHERE g.ctid = d."#ctid" AND d."#differs";
    PERFORM changeover.m10_judge("#keys");
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_sync_reverse(text[])'::pg_catalog.regprocedure);

-- function m10_fragments
-- What the fixed functions must know of this source: pieces of SQL over x, the old table, and g, the new one.
CREATE OR REPLACE FUNCTION changeover.m10_fragments()
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT jsonb_build_object(
        'path', 'pg_catalog, "public", "changeover", pg_temp',
        'source', '"public"."tasks"',
        'target', '"public"."tasks"',
        'written', ARRAY[]::text[],
        'sync_reverse', true,
        'key', 'x."id"::text',
        'row', 'to_jsonb(x.*)',
        'of_keys', 'x."id" = ANY (($1)::bigint[])',
        'remove_all', 'WITH told AS (DELETE FROM changeover.diverged g WHERE g.source_id = 10) DELETE FROM changeover.filled g WHERE g.source_id = 10')
$changeover$;
SELECT changeover.keep_private('changeover.m10_fragments()'::pg_catalog.regprocedure);

-- function m10_batch
-- One batch: the heap pages [lo, hi) of a table that is changed in place. It fills only what nobody has computed or
-- written yet, and only the version of a row that it has read: who has changed the row since has fired the mirror.
-- Rows that somebody holds are waited for as briefly as the transaction's lock_timeout says; then they are left to the
-- queue, and the rest of the pages is filled without them.
CREATE OR REPLACE FUNCTION changeover.m10_batch(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    v_free tid[];
    v_seen bigint;
    v_copied bigint;
    v_aside text[];
    v_held text[];
    v_before bigint := 0;
    v_rejected bigint := 0;
BEGIN
    PERFORM set_config('changeover.origin', 'm10:i', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1128419927, 10);
    FOR v_try IN 1..2 LOOP
        BEGIN
            WITH derived AS MATERIALIZED (
SELECT r.* FROM changeover.m10_new_rows_on_pages("#from", "#to") r
            ),
            filled AS (
                UPDATE "public"."tasks" g SET "state_id" = CASE WHEN d."#differs1" AND d."#open1" THEN d."state_id" ELSE g."state_id" END, "minutes" = CASE WHEN d."#differs2" AND d."#open2" THEN d."minutes" ELSE g."minutes" END
                FROM derived d
                WHERE g.ctid = d."#ctid" AND g.ctid >= "#from" AND g.ctid < "#to" AND d."#fills" AND (v_free IS NULL OR d."#ctid" = ANY (v_free))
                RETURNING d."#key" AS key, d."#originals" AS originals
            )
            SELECT count(*), (SELECT count(*) FROM filled),
                array_agg(d."#key") FILTER (WHERE d."#aside" AND (v_free IS NULL OR d."#ctid" = ANY (v_free))),
                array_agg(d."#key") FILTER (WHERE (d."#aside" OR d."#fills") AND NOT (v_free IS NULL OR d."#ctid" = ANY (v_free)))
            INTO v_seen, v_copied, v_aside, v_held
            FROM derived d;
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF v_try = 2 THEN
                RAISE;
            END IF;
            v_free := ARRAY(SELECT x.ctid FROM "public"."tasks" x WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."tasks" p WHERE p.ctid >= "#from" AND p.ctid < "#to")) FOR NO KEY UPDATE SKIP LOCKED);
        END;
    END LOOP;
    FOR v_try IN 1..2 LOOP
        EXIT WHEN v_aside IS NULL;
        BEGIN
            SELECT count(*) INTO v_before FROM changeover.reject r WHERE r.source_id = 10 AND r.key = ANY (v_aside);
            PERFORM changeover.m10_sync(v_aside);
            SELECT count(*) - v_before INTO v_rejected FROM changeover.reject r WHERE r.source_id = 10 AND r.key = ANY (v_aside);
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            v_held := v_held || v_aside;
            EXIT WHEN v_try = 2;
            v_aside := ARRAY(SELECT x."id"::text FROM "public"."tasks" x WHERE x."id" = ANY ((v_aside)::bigint[]) FOR NO KEY UPDATE SKIP LOCKED);
            v_held := ARRAY(SELECT h.key FROM unnest(v_held) AS h (key) WHERE h.key <> ALL (v_aside));
        END;
    END LOOP;
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT 10, 'forward', h.key, 'held' FROM unnest(v_held) AS h (key);
    PERFORM set_config('changeover.origin', v_origin, true);
    v_rejected := greatest(v_rejected, 0);
    RETURN QUERY SELECT v_seen, v_copied + coalesce(cardinality(v_aside), 0) - v_rejected, v_rejected;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_batch(bigint, bigint)'::pg_catalog.regprocedure);

-- function m10_dependents
-- Keys of the rows that hang on changed rows of a lookup: a note names it, tells why they count, and the rows.
CREATE OR REPLACE FUNCTION changeover.m10_dependents(p_note jsonb)
RETURNS SETOF text
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
BEGIN
    IF p_note ->> 'lookup' = 'state' AND p_note ->> 'cause' = 'lookup' THEN
        RETURN QUERY SELECT t."id"::text
        FROM "public"."states" "state" JOIN "public"."tasks" t ON state.id = t.state_id
        WHERE "state"."id"::text IN (SELECT jsonb_array_elements_text(p_note -> 'rows'));
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_dependents(jsonb)'::pg_catalog.regprocedure);

-- function m10_compared
-- The comparison of the heap pages [lo, hi) of a table that is changed in place: each group of columns of a row must say
-- the same on both sides. Two values of different spelling agree where either side gives the other one; what the row
-- says where the old columns cannot follow is on record. One snapshot; nothing is changed.
CREATE OR REPLACE FUNCTION changeover.m10_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q."#key", q.kind, q.columns, q.expected, (SELECT jsonb_build_object('state_id', g."state_id", 'minutes', g."minutes", 'state', g."state", 'hours', g."hours") FROM "public"."tasks" g WHERE g.ctid = q."#ctid")
    FROM (
        SELECT d."#key", d."#ctid",
            CASE
                -- What its lookup is to make the server refuses each time: no comparison makes it, and the row waits as a reject.
                WHEN d."#unresolved" AND EXISTS (
                    SELECT FROM changeover.reject r, "public"."tasks" g
                    WHERE r.source_id = 10 AND r.key = d."#key" AND g.ctid = d."#ctid" AND r."row" = to_jsonb(g.*)
                      AND NOT EXISTS (SELECT FROM (VALUES (d."#reason1", 'state_id'::text, d."#open1"), (d."#reason2", 'minutes'::text, d."#open2")) w (reason, detail, is_open) WHERE w.reason = r.reason) OFFSET 0)
                    THEN NULL
                WHEN (d."#differs1" OR d."#differs2") THEN CASE WHEN d."#fills" THEN 'missing' ELSE 'different' END
                WHEN d."#aside" OR d."#key" IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0) THEN
                    CASE
                        WHEN EXISTS (
                            SELECT FROM (VALUES (d."#reason1", 'state_id'::text, d."#open1"), (d."#reason2", 'minutes'::text, d."#open2")) w (reason, detail, is_open)
                            WHERE w.reason IS NOT NULL AND w.is_open AND NOT EXISTS (
                                SELECT FROM changeover.reject r, "public"."tasks" g
                                WHERE r.source_id = 10 AND r.key = d."#key" AND r.reason = w.reason AND r.detail = w.detail
                                  AND g.ctid = d."#ctid" AND r."row" = to_jsonb(g.*)))
                            THEN 'unrejected'
                        WHEN EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = 10 AND r.key = d."#key" AND NOT EXISTS (
                                SELECT FROM (VALUES (d."#reason1", 'state_id'::text, d."#open1"), (d."#reason2", 'minutes'::text, d."#open2")) w (reason, detail, is_open)
                                WHERE w.reason = r.reason AND w.detail = r.detail AND w.is_open))
                            THEN 'stale_reject'
                        WHEN (false OR false) THEN 'missing'
                    END
            END AS kind,
            array_remove(ARRAY[CASE WHEN d."#differs1" OR false THEN 'state_id' END, CASE WHEN d."#differs2" OR false THEN 'minutes' END]::text[], NULL) AS columns,
            jsonb_build_object('state_id', d."state_id", 'minutes', d."minutes") AS expected
        FROM (
SELECT r.* FROM changeover.m10_new_rows_on_pages("#from", "#to") r
        ) d
    ) q
    WHERE q.kind IS NOT NULL;

    -- Rejects whose row is no longer there; once, with the first range.
    IF "#first" AND EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0) THEN
        RETURN QUERY
        SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
        FROM changeover.reject r
        WHERE r.source_id = 10 AND r.id > 0
          AND NOT EXISTS (SELECT FROM (SELECT x."id"::text AS key FROM "public"."tasks" x) k WHERE k.key = r.key);
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_compared(tid, tid, boolean)'::pg_catalog.regprocedure);

-- function m10_count
-- The counting rule in one snapshot: rows of the table = rows that are computed + rows with a reject.
CREATE OR REPLACE FUNCTION changeover.m10_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE sql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
    SELECT count(*), count(*) FILTER (WHERE x."id"::text NOT IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0)),
        (SELECT count(DISTINCT r.key) FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0),
        count(*) FILTER (WHERE false)
    FROM "public"."tasks" x
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
    -- (no row is of another table)
    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM "public"."tasks" t WHERE t.ctid >= "#from" AND t.ctid < "#to";
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_orphans(bigint, bigint)'::pg_catalog.regprocedure);

-- trigger ~changeover_i000010_bi on "public"."tasks"
CREATE OR REPLACE TRIGGER "~changeover_i000010_bi" BEFORE INSERT ON "public"."tasks" FOR EACH ROW WHEN (current_setting('changeover.origin', true) IS DISTINCT FROM 'm10:i') EXECUTE FUNCTION changeover.m10_before();

-- trigger ~changeover_i000010_bu on "public"."tasks"
CREATE OR REPLACE TRIGGER "~changeover_i000010_bu" BEFORE UPDATE ON "public"."tasks" FOR EACH ROW WHEN (((((OLD."state") COLLATE "C" IS DISTINCT FROM (NEW."state") COLLATE "C") OR ((OLD."state_id") IS DISTINCT FROM (NEW."state_id")) OR ((OLD."hours") COLLATE "C" IS DISTINCT FROM (NEW."hours") COLLATE "C") OR ((OLD."minutes") IS DISTINCT FROM (NEW."minutes")) OR ((OLD."id") IS DISTINCT FROM (NEW."id"))) OR (NEW."state_id" IS NULL) OR (NEW."minutes" IS NULL)) AND current_setting('changeover.origin', true) IS DISTINCT FROM 'm10:i') EXECUTE FUNCTION changeover.m10_before();

-- trigger ~changeover_i000010_ai on "public"."tasks"
CREATE OR REPLACE TRIGGER "~changeover_i000010_ai" AFTER INSERT ON "public"."tasks" FOR EACH ROW WHEN ((((NEW."state_id" IS NULL) OR (NEW."minutes" IS NULL)) OR current_setting('changeover.said', true) <> '') AND current_setting('changeover.origin', true) IS DISTINCT FROM 'm10:i') EXECUTE FUNCTION changeover.m10_after();

-- trigger ~changeover_i000010_au on "public"."tasks"
CREATE OR REPLACE TRIGGER "~changeover_i000010_au" AFTER UPDATE ON "public"."tasks" FOR EACH ROW WHEN ((((OLD."state_id" IS NULL) OR (OLD."minutes" IS NULL)) OR ((NEW."state_id" IS NULL) OR (NEW."minutes" IS NULL)) OR current_setting('changeover.said', true) <> '') AND current_setting('changeover.origin', true) IS DISTINCT FROM 'm10:i') EXECUTE FUNCTION changeover.m10_after();

-- trigger ~changeover_i000010_ad on "public"."tasks"
CREATE OR REPLACE TRIGGER "~changeover_i000010_ad" AFTER DELETE ON "public"."tasks" FOR EACH ROW WHEN (true) EXECUTE FUNCTION changeover.m10_after();

-- trigger ~changeover_i000010_at on "public"."tasks"
CREATE OR REPLACE TRIGGER "~changeover_i000010_at" AFTER TRUNCATE ON "public"."tasks" FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m10');

-- trigger ~changeover_i000010_l0 on "public"."states"
CREATE OR REPLACE TRIGGER "~changeover_i000010_l0" AFTER UPDATE ON "public"."states" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_lookup0();
