-- What a small plan of kind split compiles to. `make golden` writes this file; see tests/unit/golden/plans.py.

-- function m10_new_rows
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows("#keys" text[], "#places" tid[] DEFAULT NULL)
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "review_id" integer, "name" text, "score" numeric, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT s."#key" AS "#key",
    NULL::jsonb AS "#row",
    NULL::tid AS "#ctid",
    t."review_id",
    t."name",
    t."score",
    CASE WHEN NOT EXISTS (SELECT FROM "public"."reviews" p WHERE p."id" = t."review_id" OFFSET 0) THEN 'no parent' END AS "#reason",
    false AS "#unresolved"
FROM (
    SELECT x."id" AS "#1",
        x."author" AS "#2",
        x."speed" AS "#3",
        x."manners" AS "#4",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."forms" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."forms" x
    WHERE ("#keys" IS NOT NULL AND x."id" = ANY ((array_remove("#keys", ''))::integer[]) OR "#places" IS NOT NULL AND x.ctid = ANY ("#places"))
) s
CROSS JOIN (SELECT 'forms'::text AS discriminator, 'public.forms'::text AS name) d
CROSS JOIN LATERAL (SELECT v.* FROM (
    VALUES ('speed', s."#3"::text, (s."#3")::numeric),
        ('manners', s."#4"::text, (s."#4")::numeric)
) v (name, text, number) WHERE v.number > 0) v
CROSS JOIN LATERAL (
    SELECT (nullif(s."#key", '')::integer)::integer AS "review_id",
        (v.name)::text AS "name",
        (v.number)::numeric AS "score"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows(text[], tid[])'::pg_catalog.regprocedure);

-- function m10_batch
-- One batch of a split: the columns that count, of the rows on these pages whose parent stands.
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
    "#places" tid[];
    v_careful boolean := coalesce(nullif(current_setting('changeover.careful', true), '')::boolean, false);
    v_met boolean := false;
    v_seen bigint;
    v_copied bigint;
BEGIN
    PERFORM set_config('changeover.origin', 'scores:f', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1128419927, 10);
    -- A list, and not the range: see on_pages in sqltext.py.
    "#places" := ARRAY(SELECT p.ctid FROM "public"."forms" p WHERE p.ctid >= "#from" AND p.ctid < "#to");
    v_seen := cardinality("#places");
    -- Plain first, as in batch.sql; a batch after one that met a mirror's row looks out for them.
    IF NOT v_careful THEN
        BEGIN
            INSERT INTO "public"."scores" AS g ("review_id", "name", "score")
            SELECT d."review_id", d."name", d."score"
            FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#places") r
            ) d
            WHERE d."#reason" IS NULL;
            GET DIAGNOSTICS v_copied = ROW_COUNT;
        EXCEPTION WHEN unique_violation THEN
            v_met := true;
        END;
    END IF;
    IF v_careful OR v_met THEN
        INSERT INTO "public"."scores" AS g ("review_id", "name", "score")
        SELECT d."review_id", d."name", d."score"
        FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#places") r
        ) d
        WHERE d."#reason" IS NULL
        ON CONFLICT ("review_id", "name") DO NOTHING;
        GET DIAGNOSTICS v_copied = ROW_COUNT;
    END IF;
    PERFORM set_config('changeover.careful', v_met::text, false);
    PERFORM changeover.check_constraints(ARRAY['"public"."scores"'::regclass]::oid[]);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, 0::bigint;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_batch(bigint, bigint)'::pg_catalog.regprocedure);

-- function m10_apply
-- Make the rows of these parents what the columns of their source say now. A parent that stands without its
-- source row (the new side has put it away) keeps its rows; one that is gone takes all with it, also those that it had
-- in another table. A batch under way may have read the columns before
-- this change, so until the copy is done the keys are looked at once more. What the new side has written and could
-- not write back yet is left alone.
CREATE OR REPLACE FUNCTION changeover.m10_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_parents integer[];
BEGIN
    PERFORM set_config('changeover.origin', 'scores:f', true);
    -- Parents in an array, because a table of two keys invites a planner without statistics to join it whole.
    v_parents := ARRAY(SELECT nullif(k.key, '')::integer FROM unnest("#keys") AS k (key));
    -- The look alone is less to set up than the DELETE, and a new row has nothing there.
    IF EXISTS (SELECT FROM "public"."scores" g WHERE g."review_id" = ANY (v_parents)) THEN
        DELETE FROM "public"."scores" g
        USING unnest("#keys") AS k (key)
        WHERE g."review_id" = ANY (v_parents) AND g."review_id" = nullif(k.key, '')::integer
          AND (g."name" = ANY (ARRAY['speed', 'manners']::text[]) AND true AND (EXISTS (SELECT FROM "public"."forms" x WHERE x."id" = nullif(k.key, '')::integer) OR false) OR NOT EXISTS (SELECT FROM "public"."reviews" p WHERE p."id" = g."review_id" OFFSET 0))
          AND ((g."review_id", g."name") IN (SELECT d."review_id", d."name" FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
          ) d WHERE d."#reason" IS NULL)) IS NOT TRUE
          AND NOT EXISTS (SELECT FROM changeover.queue c
                          WHERE c.key IN (k.key, CAST(g."review_id" AS text)) AND c.source_id = 10 AND c.patch -> 'set' ? g."name");
    END IF;
    INSERT INTO "public"."scores" AS g ("review_id", "name", "score")
    SELECT d."review_id", d."name", d."score"
    FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
    ) d
    WHERE d."#reason" IS NULL
      AND NOT EXISTS (SELECT FROM changeover.queue c
                      WHERE c.key IN (d."#key", CAST(d."review_id" AS text)) AND c.source_id = 10 AND c.patch -> 'set' ? d."name")
    ON CONFLICT ("review_id", "name") DO UPDATE SET "score" = EXCLUDED."score"
    WHERE (EXCLUDED."score" IS DISTINCT FROM g."score");
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
        'source', '"public"."forms"',
        'target', '"public"."scores"',
        'written', ARRAY['"public"."scores"']::text[],
        'returns', true,
        'key', 'coalesce(x."id"::text, '''')',
        'row', 'to_jsonb(x.*)',
        'of_keys', 'x."id" = ANY ((array_remove($1, ''''))::integer[])',
        'lock', ARRAY['SELECT FROM "public"."forms" x WHERE x."id" = ANY ((array_remove($1, ''''))::integer[]) ORDER BY x."id" FOR NO KEY UPDATE']::text[],
        'remove_all', 'DELETE FROM "public"."scores" g WHERE NOT EXISTS (SELECT FROM "public"."reviews" p WHERE p."id" = g."review_id" OFFSET 0)',
        'left_over', 'SELECT DISTINCT t."review_id"::text AS key FROM "public"."scores" t WHERE NOT EXISTS (SELECT FROM "public"."reviews" p WHERE p."id" = t."review_id" OFFSET 0)',
        'children', 'g."review_id" = nullif(k.key, '''')::integer AND g."name" = ANY (ARRAY[''speed'', ''manners'']::text[]) AND true',
        'parent', 'review_id',
        'parent_type', 'integer',
        'item', 'name',
        'items', ARRAY['speed', 'manners']::text[],
        'value', '(SELECT (t.score)::numeric FROM (SELECT g.*) t)',
        'absent', '(0)::numeric',
        'orphan', 'NOT EXISTS (SELECT FROM "public"."reviews" p WHERE p."id" = g."review_id" OFFSET 0)',
        'before', '($3 ->> 0)::numeric',
        'after', '($3 ->> 1)::numeric',
        'park', jsonb_build_object(
            'same', ARRAY['review_id', 'name']::text[],
            'columns', ARRAY['score']::text[],
            'rows', 'm10_new_rows',
            'which', 'true'))
$changeover$;
SELECT changeover.keep_private('changeover.m10_fragments()'::pg_catalog.regprocedure);

-- function m10_compared
-- The comparison of a split over pages of the source, both ways, in one snapshot.
CREATE OR REPLACE FUNCTION changeover.m10_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    "#places" tid[] := ARRAY(SELECT p.ctid FROM "public"."forms" p WHERE p.ctid >= "#from" AND p.ctid < "#to");
BEGIN
    -- One full join: an equal row of either side that stands alone would otherwise be searched for row by row.
    RETURN QUERY
    SELECT coalesce(d."#key", g.key),
        CASE WHEN g."name" IS NULL THEN 'missing' WHEN d."name" IS NULL THEN 'orphan' ELSE 'different' END,
        ARRAY[coalesce(d."name", g."name")],
        CASE WHEN d."name" IS NOT NULL THEN jsonb_build_object('score', d."score", 'name', d."name") END,
        CASE WHEN g."name" IS NOT NULL THEN to_jsonb(g.*) END
    FROM (
        SELECT d.* FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#places") r
        ) d WHERE d."#reason" IS NULL
    ) d
    FULL JOIN (
        SELECT k.key, g.*
        FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."forms" x WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."forms" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) k
        JOIN "public"."scores" g ON g."review_id" = nullif(k.key, '')::integer AND g."name" = ANY (ARRAY['speed', 'manners']::text[]) AND true
    ) g ON g."review_id" = d."review_id" AND g."name" = d."name"
    -- A row that could not be stored stands among the rejects, whole.
    WHERE (g."name" IS NULL AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.key = d."#key"))
       OR d."name" IS NULL OR (g."name" IS NOT NULL AND (d."score" IS DISTINCT FROM g."score"));
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_compared(tid, tid, boolean)'::pg_catalog.regprocedure);

-- function m10_put
-- Reverse mirror of a split: one column of the source row gets the value of one target row, or what the plan calls absent;
-- of a write that waited, only if the column still has the value that it had before. What the column cannot hold, or what does
-- not count, is not kept in the target either.
CREATE OR REPLACE FUNCTION changeover.m10_put(p_key text, p_item text, p_waited boolean, p_before numeric, p_value numeric)
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
BEGIN
    IF p_item <> ALL (ARRAY['speed', 'manners']::text[]) THEN
        RETURN;
    END IF;
    -- A view has no tableoid: where contract has put one in the table's place meanwhile, this waits in queue. So does
    -- what is written before the parent could be written back.
    PERFORM x.tableoid FROM "public"."forms" x WHERE x."id" = nullif(p_key, '')::integer;
    IF NOT FOUND THEN
        IF NOT p_waited AND p_value IS NOT DISTINCT FROM CAST((0)::numeric AS numeric) AND NOT EXISTS (
            SELECT FROM changeover.queue c JOIN changeover.source z ON z.id = c.source_id
            WHERE c.key = ANY (ARRAY[p_key, (nullif(p_key, '')::integer)::text]) AND c.direction = 'reverse' AND z.oid = 100000)
        THEN
            -- The old row has gone, and has taken this one with it (C15): there is nothing to write back.
            RETURN;
        END IF;
        RAISE EXCEPTION 'the row % of the old table is not there', p_key USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM set_config('changeover.origin', 'm10:r', true);
    PERFORM set_config('changeover.putting', ARRAY[p_key]::text, true);
    UPDATE "public"."forms" x SET "speed" = CASE p_item WHEN 'speed' THEN CASE WHEN round(p_value) BETWEEN -2147483648 AND 2147483647 THEN round(p_value)::integer END ELSE x."speed" END, "manners" = CASE p_item WHEN 'manners' THEN CASE WHEN round(p_value) BETWEEN -2147483648 AND 2147483647 THEN round(p_value)::integer END ELSE x."manners" END
    FROM (SELECT) one
    WHERE x."id" = nullif(p_key, '')::integer
      AND coalesce(CASE p_item WHEN 'speed' THEN (x."speed")::numeric WHEN 'manners' THEN (x."manners")::numeric END, (0)::numeric) IS DISTINCT FROM p_value
      AND (NOT p_waited OR coalesce(CASE p_item WHEN 'speed' THEN (x."speed")::numeric WHEN 'manners' THEN (x."manners")::numeric END, (0)::numeric) IS NOT DISTINCT FROM p_before);
    IF NOT p_waited
        AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = ANY (ARRAY[p_key, (nullif(p_key, '')::integer)::text]) AND c.source_id = 10 AND c.patch ? 'set')
    THEN
        -- An earlier write of this item still waits. This one is newer: the other must not find its old value here
        -- again and take it for untouched.
        UPDATE changeover.queue c SET patch = jsonb_set(c.patch, '{set}', (c.patch -> 'set') - p_item)
        WHERE c.key = ANY (ARRAY[p_key, (nullif(p_key, '')::integer)::text]) AND c.source_id = 10 AND c.direction = 'reverse' AND c.patch ? 'set';
    END IF;
    IF changeover.deferrable(ARRAY[100000]::oid[]) THEN
        PERFORM changeover.check_constraints(ARRAY[100000]::oid[]);
    END IF;
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
    IF EXISTS (
        SELECT FROM (SELECT d.* FROM (
SELECT r.* FROM changeover.m10_new_rows(ARRAY[p_key]) r
        ) d WHERE d."#reason" IS NULL AND d."name" = p_item) d
        FULL JOIN (SELECT g.* FROM "public"."scores" g WHERE g."review_id" = nullif(p_key, '')::integer AND g."name" = p_item) g
            ON g."review_id" = d."review_id"
        WHERE d."name" IS NULL OR g."name" IS NULL OR (d."score" IS DISTINCT FROM g."score")
    ) THEN
        PERFORM changeover.m10_apply(ARRAY[p_key]);
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_put(text, text, boolean, numeric, numeric)'::pg_catalog.regprocedure);

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
    IF changeover.deferrable(ARRAY['"public"."scores"'::regclass]::oid[]) THEN
        v_done := changeover.check_constraints(ARRAY['"public"."scores"'::regclass]::oid[]);
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
    RETURN QUERY SELECT t."review_id"::text, 'orphan'::text, ARRAY[t."name"], NULL::jsonb, to_jsonb(t.*)
    FROM "public"."scores" t
    WHERE t.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."scores" p WHERE p.ctid >= "#from" AND p.ctid < "#to")) AND NOT EXISTS (SELECT FROM "public"."reviews" p WHERE p."id" = t."review_id" OFFSET 0);
    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM "public"."scores" t WHERE t.ctid >= "#from" AND t.ctid < "#to";
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_orphans(bigint, bigint)'::pg_catalog.regprocedure);

-- function x1_source_of
-- Which source row a parent stands for: the source of this mapping, and the key in its table.
CREATE OR REPLACE FUNCTION changeover.x1_source_of(p_parent integer)
RETURNS TABLE (source integer, key text)
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_source integer;
    v_origin integer;
    v_key text;
BEGIN
    v_source := 10;
    IF v_source IS NOT NULL THEN
        SELECT z.id INTO v_origin
        FROM changeover.source z JOIN changeover.mapping m ON m.id = z.mapping_id
        WHERE z.oid = (SELECT y.oid FROM changeover.source y WHERE y.id = v_source)
          AND m.target = 'public.reviews' LIMIT 1;
        EXECUTE format('SELECT changeover.m%s_key(p.*) FROM "public"."reviews" p WHERE p."id" = $1', v_origin)
        INTO v_key USING p_parent;
        RETURN QUERY SELECT v_source, v_key;
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_source_of(integer)'::pg_catalog.regprocedure);

-- function x1_before
-- The new application writes the parent with its documents and these rows as well, in one transaction; the
-- mirror has made the rows from the parent already. The application's own row takes the place of ours.
CREATE OR REPLACE FUNCTION changeover.x1_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', 'scores:f', true);
    IF TG_OP = 'INSERT' THEN
        DELETE FROM "public"."scores" g WHERE g."review_id" = NEW."review_id" AND g."name" = NEW."name";
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RETURN NEW;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_before()'::pg_catalog.regprocedure);

-- function x1_reverse
-- The reverse mirror of a split: the value goes back into the column it stands for. It never raises, and it gives
-- way in a circle of waits (docs/concurrency.md, C1, C3, C5, C17); what could not be written waits in queue as a patch, as does what a writer in
-- SERIALIZABLE writes. What the application wrote stands meanwhile: where one statement writes the parent as well, the
-- parent's mirror has come first, and has made this row what the old columns say.
-- A table that has moved at this moment (to the archive or back) is looked for again: its functions have moved with it.
CREATE OR REPLACE FUNCTION changeover.x1_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
DECLARE
    v_waits text := changeover.wait_less();
    v_source integer;
    v_former integer;
    v_key text;
    v_former_key text;
    v_before numeric := (0)::numeric;
    v_value numeric := (0)::numeric;
    v_state text;
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    FOR v_attempt IN 1 .. 3 LOOP
        v_state := 'serializable';
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                SELECT f.source, f.key INTO v_former, v_former_key FROM changeover.x1_source_of(OLD."review_id") f;
                SELECT (t.score)::numeric INTO v_before FROM (SELECT (OLD).*) t;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                SELECT f.source, f.key INTO v_source, v_key FROM changeover.x1_source_of(NEW."review_id") f;
                SELECT (t.score)::numeric INTO v_value FROM (SELECT (NEW).*) t;
            END IF;
            IF current_setting('transaction_isolation') <> 'serializable' THEN
                IF v_former IS NOT NULL
                    AND (TG_OP = 'DELETE' OR (OLD."review_id", OLD."name") IS DISTINCT FROM (NEW."review_id", NEW."name"))
                THEN
                    EXECUTE format('SELECT changeover.m%s_put($1, $2, false, NULL, $3)', v_former)
                        USING v_former_key, OLD."name", CAST((0)::numeric AS numeric);
                END IF;
                IF v_source IS NOT NULL THEN
                    EXECUTE format('SELECT changeover.m%s_put($1, $2, false, NULL, $3)', v_source) USING v_key, NEW."name", v_value;
                END IF;
                v_waits := set_config('lock_timeout', v_waits, true);
                RETURN NULL;
            END IF;
            EXIT;
        EXCEPTION
            WHEN undefined_table OR undefined_column THEN
                GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
                EXIT;
        END;
    END LOOP;
    -- Under its key, or under the parent's id while that has none.
    IF TG_OP = 'UPDATE' AND v_source = v_former AND (OLD."review_id", OLD."name") = (NEW."review_id", NEW."name") THEN
        v_former := NULL;
    ELSE
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT v_former, 'reverse', coalesce(v_former_key, w.id), v_state,
               jsonb_build_object('parent', w.id, 'set', jsonb_build_object(OLD."name", jsonb_build_array(v_before, (0)::numeric)))
        FROM (SELECT CAST(OLD."review_id" AS text) AS id) w
        WHERE v_former IS NOT NULL;
        v_before := (0)::numeric;
    END IF;
    INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
    SELECT v_source, 'reverse', coalesce(v_key, w.id), v_state,
           jsonb_build_object('parent', w.id, 'set', jsonb_build_object(NEW."name", jsonb_build_array(v_before, v_value)))
    FROM (SELECT CAST(NEW."review_id" AS text) AS id) w
    WHERE v_source IS NOT NULL;
    PERFORM set_config('changeover.origin', 'scores:f', true);
    BEGIN
        IF TG_OP = 'DELETE' THEN
            DELETE FROM "public"."scores" g WHERE g."review_id" = OLD."review_id" AND g."name" = OLD."name";
        ELSE
            INSERT INTO "public"."scores" AS g ("review_id", "name", "score") OVERRIDING SYSTEM VALUE SELECT NEW."review_id", NEW."name", NEW."score"
            ON CONFLICT ("review_id", "name") DO UPDATE SET "review_id" = EXCLUDED."review_id", "name" = EXCLUDED."name", "score" = EXCLUDED."score"
            WHERE g.* OPERATOR(pg_catalog.*<>) NEW;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;  -- the drain makes up for it
    END;
    PERFORM set_config('changeover.origin', v_origin, true);
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_reverse()'::pg_catalog.regprocedure);

-- trigger changeover_x1_reverse on "public"."scores"
CREATE OR REPLACE TRIGGER "changeover_x1_before" BEFORE INSERT OR UPDATE ON "public"."scores" FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '') EXECUTE FUNCTION changeover.x1_before();
CREATE OR REPLACE TRIGGER "changeover_x1_reverse" AFTER INSERT OR UPDATE OR DELETE ON "public"."scores" FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '') EXECUTE FUNCTION changeover.x1_reverse();
CREATE OR REPLACE TRIGGER "changeover_x1_trunc" AFTER TRUNCATE ON "public"."scores" FOR EACH STATEMENT EXECUTE FUNCTION changeover.emptied('x1');

-- trigger changeover_b000010_ins on "public"."forms"
CREATE OR REPLACE TRIGGER "changeover_b000010_ins" AFTER INSERT ON "public"."forms" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_b000010_upd on "public"."forms"
CREATE OR REPLACE TRIGGER "changeover_b000010_upd" AFTER UPDATE ON "public"."forms" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_b000010_del on "public"."forms"
CREATE OR REPLACE TRIGGER "changeover_b000010_del" AFTER DELETE ON "public"."forms" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_b000010_trunc on "public"."forms"
CREATE OR REPLACE TRIGGER "changeover_b000010_trunc" AFTER TRUNCATE ON "public"."forms" FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m10');
