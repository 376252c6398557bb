-- What a small plan of kind unify compiles to. `make golden` writes this file; see tests/unit/golden/plans.py.

-- function m10_old_row
DROP FUNCTION IF EXISTS changeover.m10_old_row("public"."orders");
-- The old row that a new row stands for, written once: every other function asks here. The originals come first, then the way
-- back. STABLE, one SELECT, no settings of its own and not strict, like new_rows.
CREATE OR REPLACE FUNCTION changeover.m10_old_row(n "public"."orders")
RETURNS TABLE ("#1" integer, "#2" text, "#3" text, "#4" text)
LANGUAGE sql
STABLE
AS $changeover$
    SELECT (CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::integer AS "#1",
    (CASE WHEN coalesce(t."originals", '{}') ? 'mail' THEN (coalesce(t."originals", '{}') ->> 'mail')::text ELSE (SELECT (owner.mail)::text FROM (SELECT) one LEFT JOIN "public"."people" "owner" ON owner.id = t.owner_id) END)::text AS "#2",
    (CASE WHEN coalesce(t."originals", '{}') ? 'total' THEN (coalesce(t."originals", '{}') ->> 'total')::text ELSE (t.total::text)::text END)::text AS "#3",
    (CASE WHEN coalesce(t."originals", '{}') ? 'note' THEN (coalesce(t."originals", '{}') ->> 'note')::text ELSE ((t."originals" ->> 'note'))::text END)::text AS "#4"
    FROM (SELECT (n).*) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_old_row("public"."orders")'::pg_catalog.regprocedure);

-- function m10_fragments
-- What the fixed functions must know of this source: pieces of SQL over x, the old table, and g, the new one.
CREATE OR REPLACE FUNCTION changeover.m10_fragments()
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT jsonb_build_object(
        'path', 'pg_catalog, "public", "changeover", pg_temp',
        'source', '"public"."north_orders"',
        'target', '"public"."orders"',
        'written', ARRAY['"public"."orders"']::text[],
        'key', 'coalesce(x."id"::text, '''')',
        'row', 'to_jsonb(x.*)',
        'of_keys', 'x."id" = ANY ((array_remove($1, ''''))::integer[])',
        'lock', ARRAY['SELECT FROM "public"."north_orders" x WHERE x."id" = ANY ((array_remove($1, ''''))::integer[]) ORDER BY x."id" FOR NO KEY UPDATE']::text[],
        'id_of', 'nullif(k.key, '''')::bigint',
        'own', 'g."region" = ANY (ARRAY[''north'']::text[]::text[])',
        'alive', 'true',
        'discriminator', 'region',
        'left_over', 'SELECT (CASE WHEN coalesce(t."originals", ''{}'') ? ''id'' THEN (coalesce(t."originals", ''{}'') ->> ''id'')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::text FROM "public"."orders" t WHERE t."region" = ANY (ARRAY[''north'']::text[]::text[]) AND true AND NOT EXISTS (SELECT FROM "public"."north_orders" x WHERE x."id" = CASE WHEN coalesce(t."originals", ''{}'') ? ''id'' THEN (coalesce(t."originals", ''{}'') ->> ''id'')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)',
        'park', jsonb_build_object(
            'same', ARRAY['id']::text[],
            'columns', ARRAY['region', 'number', 'owner_id', 'total']::text[],
            'rows', 'm10_new_rows',
            'which', 'g."region" = ANY (ARRAY[''north'']::text[]::text[]) AND NOT (coalesce(g."originals", ''{}'') ? ''~'') AND NOT EXISTS (SELECT FROM changeover.queue c WHERE c.source_id = 10 AND c.direction = ''reverse'' AND c.key IN (d."#key", g."id"::text))'),
        'waiting', 'SELECT DISTINCT c.key FROM changeover.queue c WHERE c.source_id = 10 AND c.direction = ''reverse'' AND c.patch ? ''set'' AND c.key = ANY ($1)',
        'columns', ARRAY['id', 'region', 'number', 'owner_id', 'total', 'originals']::text[],
        'compared', ARRAY['id', 'region', 'number', 'owner_id', 'total', 'originals']::text[],
        'casts', '{}'::jsonb,
        'target_key', 'id',
        'key_type', 'bigint',
        'rows', 'm10_new_rows',
        'ahead', 'g."region" = ANY (ARRAY[''north'']::text[]::text[]) AND (coalesce(g."originals", ''{}'') ? ''~'')',
        'lost', 'changeover.lost(changeover.m10_image(r.said), changeover.m10_image(r.stands))',
        'document', 'coalesce(g."originals", ''{}'')',
        'originals', 'originals',
        'packs', ARRAY['originals']::text[],
        'lookups', jsonb_build_object(
            'owner', jsonb_build_object(
                'table', '"public"."people"',
                'key', 'id',
                'match', 'owner.mail = changeover.fold("#s"."mail")',
                'join', 'owner.id = t.owner_id',
                'by', ARRAY['owner_id']::text[],
                'back', jsonb_build_object(
                    'mail', '(owner.mail)::text'),
                'alone', ARRAY['mail']::text[])),
        'dependents', jsonb_build_object(
            'mine', 't."region" = ANY (ARRAY[''north'']::text[]::text[]) AND true',
            'key', 'changeover.m10_key(t.*)',
            'of_key', 't."id" = nullif("#k".key, '''')::bigint',
            'place', '(SELECT x.ctid FROM "public"."north_orders" x WHERE x."id" = nullif("#k".key, '''')::integer)',
            'kept', 'coalesce(t."originals", ''{}'')'),
        'returns', true,
        'place', '(SELECT x.ctid FROM "public"."north_orders" x WHERE x."id" = nullif($1, '''')::integer)',
        'dropped', '"originals" = (coalesce(g."originals", ''{}'') - ARRAY(SELECT jsonb_array_elements_text($2 -> ''drop'')))',
        'settable', ARRAY['mail', 'total', 'note']::text[],
        'carried', '"originals" = c."originals"')
$changeover$;
SELECT changeover.keep_private('changeover.m10_fragments()'::pg_catalog.regprocedure);

-- function m10_new_rows
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows("#keys" text[], "#places" tid[] DEFAULT NULL)
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "id" bigint, "region" text, "number" integer, "owner_id" bigint, "total" numeric(8,2), "originals" jsonb, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" AS "#row",
    s."#ctid" AS "#ctid",
    t."id",
    t."region",
    t."number",
    t."owner_id",
    t."total",
    (CASE WHEN ((s."#1") IS DISTINCT FROM ((changeover.try_integer((t."id")::text))::integer))
        OR ((s."#2") COLLATE "C" IS DISTINCT FROM ((owner.mail)::text) COLLATE "C")
        OR ((s."#3") COLLATE "C" IS DISTINCT FROM ((t.total::text)::text) COLLATE "C")
        THEN CASE WHEN ((s."#1") IS DISTINCT FROM ((changeover.try_integer((t."id")::text))::integer)) THEN jsonb_build_object('id', (s."#1")::text) ELSE '{}'::jsonb END
        || CASE WHEN ((s."#2") COLLATE "C" IS DISTINCT FROM ((owner.mail)::text) COLLATE "C") THEN jsonb_build_object('mail', (s."#2")::text) ELSE '{}'::jsonb END
        || CASE WHEN ((s."#3") COLLATE "C" IS DISTINCT FROM ((t.total::text)::text) COLLATE "C") THEN jsonb_build_object('total', (s."#3")::text) ELSE '{}'::jsonb END
        ELSE '{}'::jsonb END) AS "originals",
    CASE WHEN (s.total IS NOT NULL AND changeover.try_numeric(s.total) IS NULL) THEN 'no_total'
        WHEN (changeover.try_numeric(s.total)) IS NOT NULL AND NOT (abs((changeover.try_numeric(s.total))::numeric) < (1e-1700 - 0.5e-1701) OR (changeover.try_numeric(s.total))::numeric = 'NaN') THEN 'number_too_large' END AS "#reason",
    false AS "#unresolved"
FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."total" AS "#3",
        x."note" AS "#4",
        x."mail" AS "mail",
        x."total" AS "total",
        x."id"::text AS "#key",
        (SELECT to_jsonb(y.*) FROM "public"."north_orders" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."north_orders" x
    WHERE ("#keys" IS NOT NULL AND x."id" = ANY ((array_remove("#keys", ''))::integer[]) OR "#places" IS NOT NULL AND x.ctid = ANY ("#places"))
) s
CROSS JOIN (SELECT 'north'::text AS discriminator, 'public.north_orders'::text AS name) d
LEFT JOIN "public"."people" "owner" ON owner.mail = changeover.fold(s.mail)
CROSS JOIN LATERAL (
    SELECT (nullif(s."#key", '')::bigint)::bigint AS "id",
        (d.discriminator)::text AS "region",
        (s."#key"::integer)::integer AS "number",
        (owner.id)::bigint AS "owner_id",
        CASE WHEN (abs((changeover.try_numeric(s.total))::numeric) < (1e-1700 - 0.5e-1701) OR (changeover.try_numeric(s.total))::numeric = 'NaN') THEN (changeover.try_numeric(s.total))::numeric(8,2) END AS "total",
        ((jsonb_strip_nulls(jsonb_build_object('note', to_jsonb(s."#4")))))::jsonb AS "originals"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows(text[], tid[])'::pg_catalog.regprocedure);

-- function m10_new_rows_of
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.m10_new_rows_of("#new" "public"."orders")
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "id" bigint, "region" text, "number" integer, "owner_id" bigint, "total" numeric(8,2), "originals" jsonb, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT coalesce(s."#key", '') AS "#key",
    s."#row" AS "#row",
    s."#ctid" AS "#ctid",
    t."id",
    t."region",
    t."number",
    t."owner_id",
    t."total",
    (CASE WHEN ((s."#1") IS DISTINCT FROM ((changeover.try_integer((t."id")::text))::integer))
        OR ((s."#2") COLLATE "C" IS DISTINCT FROM ((owner.mail)::text) COLLATE "C")
        OR ((s."#3") COLLATE "C" IS DISTINCT FROM ((t.total::text)::text) COLLATE "C")
        THEN CASE WHEN ((s."#1") IS DISTINCT FROM ((changeover.try_integer((t."id")::text))::integer)) THEN jsonb_build_object('id', (s."#1")::text) ELSE '{}'::jsonb END
        || CASE WHEN ((s."#2") COLLATE "C" IS DISTINCT FROM ((owner.mail)::text) COLLATE "C") THEN jsonb_build_object('mail', (s."#2")::text) ELSE '{}'::jsonb END
        || CASE WHEN ((s."#3") COLLATE "C" IS DISTINCT FROM ((t.total::text)::text) COLLATE "C") THEN jsonb_build_object('total', (s."#3")::text) ELSE '{}'::jsonb END
        ELSE '{}'::jsonb END) AS "originals",
    CASE WHEN (s.total IS NOT NULL AND changeover.try_numeric(s.total) IS NULL) THEN 'no_total'
        WHEN (changeover.try_numeric(s.total)) IS NOT NULL AND NOT (abs((changeover.try_numeric(s.total))::numeric) < (1e-1700 - 0.5e-1701) OR (changeover.try_numeric(s.total))::numeric = 'NaN') THEN 'number_too_large' END AS "#reason",
    false AS "#unresolved"
FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."total" AS "#3",
        x."note" AS "#4",
        x."mail" AS "mail",
        x."total" AS "total",
        x."id"::text AS "#key",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM (SELECT r."#1" AS "id",
    r."#2" AS "mail",
    r."#3" AS "total",
    r."#4" AS "note" FROM changeover.m10_old_row("#new") r OFFSET 0) x
    WHERE true
) s
CROSS JOIN (SELECT 'north'::text AS discriminator, 'public.north_orders'::text AS name) d
LEFT JOIN "public"."people" "owner" ON owner.mail = changeover.fold(s.mail)
CROSS JOIN LATERAL (
    SELECT (nullif(s."#key", '')::bigint)::bigint AS "id",
        (d.discriminator)::text AS "region",
        (s."#key"::integer)::integer AS "number",
        (owner.id)::bigint AS "owner_id",
        CASE WHEN (abs((changeover.try_numeric(s.total))::numeric) < (1e-1700 - 0.5e-1701) OR (changeover.try_numeric(s.total))::numeric = 'NaN') THEN (changeover.try_numeric(s.total))::numeric(8,2) END AS "total",
        ((jsonb_strip_nulls(jsonb_build_object('note', to_jsonb(s."#4")))))::jsonb AS "originals"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_new_rows_of("public"."orders")'::pg_catalog.regprocedure);

-- function m10_batch
-- One batch: the heap pages [lo, hi) of a source into the target. Never overwrites: only a mirror may.
-- The advisory lock comes before the first snapshot; the drain takes it exclusively, so that it acts on
-- a deleted row only when no batch that might still have seen the row is under way.
-- jit is off because the statement is long and the batch short; one plan serves every batch.
-- The rows are derived once. One that cannot go in as it is sets itself aside (its ctid goes into a setting of this
-- transaction, as a condition may call a function but not write a row), and only those are looked at again. A + before
-- it says that there is nothing against the row itself: it refers to one that is still to be made. A row without a value that the target
-- requires is set aside as well, and rejected with the others: as an error it would be looked for row by row.
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
    v_strict boolean := NOT changeover.filled_by_trigger('"public"."orders"'::regclass);
    v_seen bigint;
    v_copied bigint;
    "#aside" tid[];
    v_sound boolean;
    v_more bigint;
    v_rejected bigint := 0;
BEGIN
    PERFORM set_config('changeover.origin', 'orders:f', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1128419927, 10);
    -- A list, and not the range: see on_pages in sqltext.py.
    "#places" := ARRAY(SELECT p.ctid FROM "public"."north_orders" p WHERE p.ctid >= "#from" AND p.ctid < "#to");
    v_seen := cardinality("#places");
    -- Plain first: ON CONFLICT costs as much again as the insertion, and most batches meet nothing. Where mirrors write what
    -- is not copied yet, a batch that met a row of theirs lets the next one look out too.
    IF NOT v_careful THEN
        BEGIN
            PERFORM set_config('changeover.aside', '', true);
-- What a batch stores; the template goes on with what a row does that stands there already.
INSERT INTO "public"."orders" AS g ("id", "region", "number", "owner_id", "total", "originals")
        SELECT d."id", d."region", d."number", d."owner_id", d."total", d."originals"
        FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#places") r
        ) d
        WHERE CASE
            WHEN d."#reason" IS NULL AND NOT d."#unresolved" AND NOT (v_strict AND d."#reason" IS NULL AND NOT d."#unresolved" AND (d."id" IS NULL OR d."region" IS NULL OR d."number" IS NULL)) THEN true
            ELSE set_config('changeover.aside', current_setting('changeover.aside')
                || CASE WHEN d."#reason" IS NULL AND d."#unresolved" THEN '+' ELSE '' END || d."#ctid"::text || ';', true) IS NULL
        END;
            GET DIAGNOSTICS v_copied = ROW_COUNT;
        EXCEPTION WHEN unique_violation THEN
            v_careful := true;
        END;
    END IF;
    IF v_careful THEN
        PERFORM set_config('changeover.aside', '', true);
-- What a batch stores; the template goes on with what a row does that stands there already.
INSERT INTO "public"."orders" AS g ("id", "region", "number", "owner_id", "total", "originals")
        SELECT d."id", d."region", d."number", d."owner_id", d."total", d."originals"
        FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#places") r
        ) d
        WHERE CASE
            WHEN d."#reason" IS NULL AND NOT d."#unresolved" AND NOT (v_strict AND d."#reason" IS NULL AND NOT d."#unresolved" AND (d."id" IS NULL OR d."region" IS NULL OR d."number" IS NULL)) THEN true
            ELSE set_config('changeover.aside', current_setting('changeover.aside')
                || CASE WHEN d."#reason" IS NULL AND d."#unresolved" THEN '+' ELSE '' END || d."#ctid"::text || ';', true) IS NULL
        END
        ON CONFLICT ("id") DO NOTHING;
        GET DIAGNOSTICS v_copied = ROW_COUNT;
    END IF;
    v_sound := strpos(current_setting('changeover.aside'), '+') > 0;
    "#aside" := string_to_array(translate(rtrim(current_setting('changeover.aside'), ';'), '+', ''), ';')::tid[];
    PERFORM set_config('changeover.careful', (v_copied + cardinality("#aside") < v_seen)::text, false);
    IF v_copied + cardinality("#aside") < v_seen THEN
        -- Their ids stand in the target: a mirror was first, or they are somebody else's.
        "#aside" := "#aside" || ARRAY(
            SELECT x.ctid FROM "public"."north_orders" x
            WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."north_orders" p WHERE p.ctid >= "#from" AND p.ctid < "#to")) AND NOT EXISTS (SELECT FROM "public"."orders" g WHERE g."id" = nullif(x."id"::text, '')::bigint AND g."region" = ANY (ARRAY['north']::text[]::text[])));
        v_sound := true;
    END IF;
    IF "#aside" <> '{}' THEN
        IF v_sound THEN
            IF EXISTS (SELECT FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#aside") r
            ) d WHERE d."#reason" IS NULL AND d."#unresolved") THEN
                NULL;
            END IF;
            -- Also where nothing is unresolved by now: another worker may have made the missing row since the
            -- first statement, which then passed over what needs it.
            INSERT INTO "public"."orders" AS g ("id", "region", "number", "owner_id", "total", "originals")
            SELECT d."id", d."region", d."number", d."owner_id", d."total", d."originals"
            FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#aside") r
            ) d
            WHERE d."#reason" IS NULL AND NOT (v_strict AND d."#reason" IS NULL AND NOT d."#unresolved" AND (d."id" IS NULL OR d."region" IS NULL OR d."number" IS NULL)) AND NOT EXISTS (SELECT FROM "public"."orders" h WHERE h."id" = d."id")
            ON CONFLICT ("id") DO NOTHING;
            GET DIAGNOSTICS v_more = ROW_COUNT;
            v_copied := v_copied + v_more;
        END IF;
        -- A mirror that runs before this commit does not see the reject. So the drain looks at each again: at the row's
        -- version alone (it is rejected still if nobody has touched it since), or, where the reason speaks of other rows too,
        -- by deriving it anew. Nothing here locks or writes a source.
        WITH found AS (
SELECT d."#key" AS key,
    coalesce(d."#reason", CASE WHEN (v_strict AND d."#reason" IS NULL AND NOT d."#unresolved" AND (d."id" IS NULL OR d."region" IS NULL OR d."number" IS NULL)) AND NOT EXISTS (SELECT FROM "public"."orders" h WHERE h."id" = d."id") THEN 'not_null_violation' WHEN EXISTS (SELECT FROM changeover.source z WHERE z.mapping_id = 1 AND z.ordinal > 0 AND g."region"::text = ANY (z.discriminators)) THEN 'displaces' ELSE 'id_taken' END) AS reason,
    CASE WHEN (v_strict AND d."#reason" IS NULL AND NOT d."#unresolved" AND (d."id" IS NULL OR d."region" IS NULL OR d."number" IS NULL)) THEN CASE WHEN d."id" IS NULL THEN 'null value in column "id" of relation "orders" violates not-null constraint' WHEN d."region" IS NULL THEN 'null value in column "region" of relation "orders" violates not-null constraint' WHEN d."number" IS NULL THEN 'null value in column "number" of relation "orders" violates not-null constraint' END END AS detail, d."#row" AS "row", d."#ctid" AS place
FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#aside") r
) d LEFT JOIN "public"."orders" g ON g."id" = d."id" AND NOT (g."region" = ANY (ARRAY['north']::text[]::text[]))
WHERE d."#reason" IS NOT NULL OR g."id" IS NOT NULL OR ((v_strict AND d."#reason" IS NULL AND NOT d."#unresolved" AND (d."id" IS NULL OR d."region" IS NULL OR d."number" IS NULL)) AND NOT EXISTS (SELECT FROM "public"."orders" h WHERE h."id" = d."id"))
        ),
        written AS (
            INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
            SELECT 10, 'public.north_orders', 'golden', f.key, f.reason, f.detail, f."row"
            FROM found f
            WHERE f.reason <> 'displaces'
              AND NOT EXISTS (
                SELECT FROM changeover.reject r
                WHERE r.source_id = 10 AND r.key = f.key AND r.reason = f.reason AND r."row" = f."row" OFFSET 0)
            RETURNING key
        ),
        again AS (
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            SELECT DISTINCT 10, 'forward', f.key, 'batch:' || f.reason, CASE WHEN f.reason = ANY (ARRAY['no_total', 'number_too_large', 'not_null_violation']::text[]) THEN (
                SELECT jsonb_build_object('place', x.ctid::text, 'xmin', x.xmin::text) FROM "public"."north_orders" x WHERE x.ctid = f.place
            ) END
            FROM found f
        )
        SELECT count(*) INTO v_rejected FROM written;
    END IF;
    PERFORM changeover.check_constraints(ARRAY['"public"."orders"'::regclass]::oid[]);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, v_rejected;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_batch(bigint, bigint)'::pg_catalog.regprocedure);

-- function m10_forward
-- What the mirror does with the keys of a statement, within its settings: the ordinary case in a few short statements, whose
-- plans are kept. A row that was rejected and is mended or deleted is one of them (C13). All else (a row that is rejected, made
-- of a missing lookup, ahead on the new side, another source's, or with something that waits) is left to _apply.
CREATE OR REPLACE FUNCTION changeover.m10_forward(p_op text, "#keys" text[], p_new_column boolean)
RETURNS boolean
LANGUAGE plpgsql
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_isolation text := current_setting('transaction_isolation');
    v_circumstances integer;
    v_set text;
    v_stored integer := -1;
    v_gone text[] := '{}';
    v_done boolean;
BEGIN
    IF "#keys" = '{}' THEN
        RETURN true;
    ELSIF v_origin = 'm10:r' OR v_isolation = 'serializable' THEN
        RETURN changeover.left_alone(10, 'm10:r', "#keys");
    ELSIF p_op = 'DELETE' AND v_isolation = 'read committed' THEN
        -- Whoever writes a target row of these keys is waited for first, and only then it is asked whether the source has
        -- such a row again (C7). A batch that has not committed may bring the row back: then it is looked at again.
        PERFORM FROM "public"."orders" g, unnest("#keys") AS k (key) WHERE g."id" = nullif(k.key, '')::bigint AND g."region" = ANY (ARRAY['north']::text[]::text[]) AND true FOR UPDATE OF g;
        v_circumstances := changeover.circumstances(10, "#keys", false, ARRAY['"public"."orders"'::regclass]::oid[]);
        IF v_circumstances % 2 = 0 AND NOT EXISTS (SELECT FROM "public"."north_orders" x WHERE x."id" = ANY ((array_remove("#keys", ''))::integer[])) THEN
            v_done := changeover.leave_while_copying(10, "#keys", 'gone');
            v_gone := "#keys";
            v_stored := 0;
        END IF;
    ELSE
        v_circumstances := changeover.circumstances(10, "#keys", false, ARRAY['"public"."orders"'::regclass]::oid[]);
        IF v_circumstances % 2 = 0 AND p_op <> 'DELETE' THEN
            v_set := set_config('changeover.origin', 'orders:f', true);
            INSERT INTO "public"."orders" AS g ("id", "region", "number", "owner_id", "total", "originals")
            SELECT d."id", d."region", d."number", d."owner_id", d."total", d."originals"
            FROM (
SELECT r.* FROM changeover.m10_new_rows("#keys") r
            ) d
            WHERE d."#reason" IS NULL AND NOT d."#unresolved"
            ON CONFLICT ("id") DO UPDATE SET "region" = EXCLUDED."region", "number" = EXCLUDED."number", "owner_id" = EXCLUDED."owner_id", "total" = EXCLUDED."total", "originals" = EXCLUDED."originals"
            WHERE g."region" = ANY (ARRAY['north']::text[]::text[]) AND NOT (coalesce(g."originals", '{}') ? '~');
            GET DIAGNOSTICS v_stored = ROW_COUNT;
            v_set := set_config('changeover.origin', v_origin, true);
        END IF;
    END IF;
    IF v_stored + cardinality(v_gone) < cardinality("#keys") THEN
        PERFORM changeover.apply(10, "#keys");
    ELSE
        IF v_gone <> '{}' THEN
            v_set := set_config('changeover.origin', 'orders:f', true);
            DELETE FROM "public"."orders" g USING unnest(v_gone) AS k (key) WHERE g."id" = nullif(k.key, '')::bigint AND g."region" = ANY (ARRAY['north']::text[]::text[]) AND true;
            v_set := set_config('changeover.origin', v_origin, true);
            PERFORM changeover.release(10, v_gone);
        END IF;
        IF v_circumstances >= 4 THEN
            v_done := changeover.unreject(10, "#keys");
        END IF;
    END IF;
    IF v_circumstances & 2 > 0 THEN
        v_done := changeover.check_constraints(ARRAY['"public"."orders"'::regclass]::oid[]);
    END IF;
    IF p_new_column OR v_isolation <> 'read committed' THEN
        v_done := changeover.looked_at_again(10, "#keys", p_new_column);
    END IF;
    RETURN true;
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
-- The comparison of the heap pages [lo, hi) of a source with the target, value by value. STABLE: the whole
-- function sees one snapshot, in which the synchronous mirrors have both sides equal. It changes nothing.
CREATE OR REPLACE FUNCTION changeover.m10_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    "#places" tid[] := ARRAY(SELECT p.ctid FROM "public"."north_orders" p WHERE p.ctid >= "#from" AND p.ctid < "#to");
BEGIN
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE
                WHEN d."#reason" IS NOT NULL THEN
                    CASE
                        WHEN NOT EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = 10 AND r.key = d."#key" AND r.reason = d."#reason" AND r."row" = d."#row")
                            THEN 'unrejected'
                        -- Of several rows with one key only the first stands in the target.
                        WHEN d."#reason" <> 'id_taken' AND true AND g."id" IS NOT NULL AND g."region" = ANY (ARRAY['north']::text[]::text[]) AND true
                            THEN 'orphan'
                    END
                WHEN g."id" IS NULL OR NOT (g."region" = ANY (ARRAY['north']::text[]::text[])) OR NOT true THEN
                    CASE
                        WHEN NOT EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = 10 AND r.key = d."#key" AND r."row" = d."#row")
                            THEN 'missing'
                        WHEN g."id" IS NULL AND EXISTS (
                            SELECT FROM changeover.reject r
                            WHERE r.source_id = 10 AND r.key = d."#key" AND r.reason = 'id_taken' AND r."row" = d."#row")
                            THEN 'stale_reject'
                    END
                WHEN d."#key" IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0)
                    AND true THEN 'stale_reject'
                WHEN c.columns <> '{}' THEN 'different'
            END AS kind,
            CASE WHEN g."id" IS NOT NULL AND d."#reason" IS NULL THEN c.columns END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
SELECT r.* FROM changeover.m10_new_rows(NULL, "#places") r
        ) d
        LEFT JOIN "public"."orders" g ON g."id" = d."id"
        CROSS JOIN LATERAL (SELECT CASE WHEN (d."region", d."number", d."owner_id", d."total", coalesce(d."originals", '{}')) IS DISTINCT FROM (g."region", g."number", g."owner_id", g."total", coalesce(g."originals", '{}'))
            THEN (SELECT array_remove(ARRAY[CASE WHEN (d."region" IS DISTINCT FROM g."region" AND NOT changeover.known(b.ahead, 'region', d."region"::text)) THEN 'region' END, CASE WHEN (d."number" IS DISTINCT FROM g."number" AND NOT changeover.known(b.ahead, 'number', d."number"::text)) THEN 'number' END, CASE WHEN (d."owner_id" IS DISTINCT FROM g."owner_id" AND NOT changeover.known(b.ahead, 'owner_id', d."owner_id"::text)) THEN 'owner_id' END, CASE WHEN (d."total" IS DISTINCT FROM g."total" AND NOT changeover.known(b.ahead, 'total', d."total"::text)) THEN 'total' END, CASE WHEN ((coalesce(d."originals", '{}')) IS DISTINCT FROM (coalesce(g."originals", '{}') - '~') AND NOT (coalesce(g."originals", '{}') ? '~')) THEN 'originals' END]::text[], NULL) FROM (SELECT coalesce(g."originals", '{}') -> '~' AS ahead OFFSET 0) b) END AS columns OFFSET 0) c
    ) q
    WHERE q.kind IS NOT NULL;

    -- Rejects whose source row is no longer there; once, with the first range.
    IF "#first" AND EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0) THEN
        RETURN QUERY
        SELECT r.key, 'stale_reject'::text, NULL::text[], NULL::jsonb, r."row"
        FROM changeover.reject r
        WHERE r.source_id = 10 AND r.id > 0
          AND NOT EXISTS (SELECT FROM (SELECT coalesce(x."id"::text, '') AS key FROM "public"."north_orders" x) k WHERE k.key = r.key);
        
    END IF;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_compared(tid, tid, boolean)'::pg_catalog.regprocedure);

-- function m10_key
-- The source key that a target row stands for; NULL for a row that has none of its own (yet). Asked twice at each write of the new side: of
-- PL/pgSQL a session keeps the plan, of SQL it would be made each time.
CREATE OR REPLACE FUNCTION changeover.m10_key(n "public"."orders")
RETURNS text
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN (SELECT (SELECT (CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::text) FROM (SELECT (n).*) t);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_key("public"."orders")'::pg_catalog.regprocedure);

-- function m10_carry
-- Before a write of the new side: keep what makes its row reversible true.
-- 1. A originals entry whose way back gives something else now is dropped: the new side has changed it. So is a key
--    beside an id that changes: the row is found by the new id from now on.
-- 2. Values that cannot be computed back later (names, defaults, generated keys) are fixed now, and so is what stands in
--    for a required column of which the row says nothing, or nothing any more.
-- 3. Columns that the old schema cannot tell are noted under "~" with what it would say of them, so that
--    a later derivation leaves them alone and the comparison does not call them different.
CREATE OR REPLACE FUNCTION changeover.m10_carry("#old" "public"."orders", "#new" "public"."orders", p_insert boolean)
RETURNS "public"."orders"
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_originals jsonb := '{}';
    v_dropped text[];
    v_said "public"."orders";
    a record;
    b record;
    v_ahead jsonb;
    v_exempt text[];
    v_reason text;
BEGIN
    IF p_insert THEN
        SELECT '{}'::jsonb INTO v_originals FROM (SELECT ("#new").*) t;
    ELSE
        v_originals := coalesce((coalesce("#old"."originals", '{}') - '~'), '{}');
        IF v_originals <> '{}' THEN
            -- What the way back gives where nothing is kept: a of the old row, b of the new one, by one statement, whose plan is large.
            FOR v_nth IN 1 .. 2 LOOP
                v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
                v_said."originals" := '{}'::jsonb;
                SELECT r.* INTO b FROM changeover.m10_old_row(v_said) r;
                IF v_nth = 1 THEN
                    a := b;
                END IF;
            END LOOP;
            v_dropped := array_remove(ARRAY[CASE WHEN v_originals ? 'mail' AND ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN 'mail' END, CASE WHEN v_originals ? 'total' AND ((a."#3") COLLATE "C" IS DISTINCT FROM (b."#3") COLLATE "C") THEN 'total' END, CASE WHEN v_originals ? 'note' AND ((a."#4") COLLATE "C" IS DISTINCT FROM (b."#4") COLLATE "C") THEN 'note' END, CASE WHEN ("#new")."id" IS DISTINCT FROM ("#old")."id" AND (SELECT (changeover.try_integer((t."id")::text))::integer FROM (SELECT ("#new").*) t) IS NOT NULL THEN 'id' END]::text[], NULL);
            v_originals := v_originals - v_dropped;
            
        END IF;
    END IF;
    
    "#new"."originals" := v_originals;
    SELECT '{}'::jsonb
        || CASE WHEN d."region" IS DISTINCT FROM ("#new")."region" THEN jsonb_build_object('region', d."region"::text) ELSE '{}' END
        || CASE WHEN d."number" IS DISTINCT FROM ("#new")."number" THEN jsonb_build_object('number', d."number"::text) ELSE '{}' END
        || CASE WHEN d."owner_id" IS DISTINCT FROM ("#new")."owner_id" THEN jsonb_build_object('owner_id', d."owner_id"::text) ELSE '{}' END
        || CASE WHEN d."total" IS DISTINCT FROM ("#new")."total" THEN jsonb_build_object('total', d."total"::text) ELSE '{}' END, d."#reason", NULL::text[]
    INTO v_ahead, v_reason, v_exempt
    FROM (
SELECT r.* FROM changeover.m10_new_rows_of("#new") r
    ) d;
    IF v_reason IS NULL AND v_ahead IS NOT NULL AND v_ahead <> '{}' THEN
        v_originals := v_originals || jsonb_build_object('~', v_ahead);
        "#new"."originals" := v_originals;
    END IF;
    
    RETURN "#new";
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_carry("public"."orders", "public"."orders", boolean)'::pg_catalog.regprocedure);

-- function m10_put
-- Reverse mirror: the source row that this target row stands for. On an update only the columns that the
-- new side changed are written, so that a concurrent write of the old side to another column stays.
-- True when the target must be derived again afterwards: a trigger of the application changed what was written,
-- the row has settled a reject, or (without a unique key) another row is the first of its key now.
-- Both rows are computed once, into a and b: the statements that write and compare them have small plans.
CREATE OR REPLACE FUNCTION changeover.m10_put("#old" "public"."orders", "#new" "public"."orders", p_whole boolean)
RETURNS boolean
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
    v_set text := set_config('changeover.origin', 'm10:r', true);
    v_key text := (SELECT (CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::text FROM (SELECT ("#new").*) t);
    v_new_key text := (SELECT (CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::text FROM (SELECT ("#new").*) t);
    v_row tid;
    v_written tid[] := '{}';
    v_found boolean;
    v_changed boolean;
    v_said "public"."orders";
    a record;
    b record;
BEGIN
    v_set := set_config('changeover.putting', array_remove(ARRAY[v_key, v_new_key], NULL)::text, true);
    FOR v_nth IN CASE WHEN p_whole THEN 2 ELSE 1 END .. 2 LOOP  -- a of the old row, b of the new one, by one statement: its plan is large
        v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
        SELECT r.* INTO b FROM changeover.m10_old_row(v_said) r;
        IF v_nth = 1 OR p_whole THEN
            a := b;
        END IF;
    END LOOP;
    v_changed := p_whole OR a OPERATOR(pg_catalog.*<>) b;
    PERFORM x.tableoid FROM "public"."north_orders" x WHERE x."id" = nullif(v_key, '')::integer;
    v_found := FOUND;
    
    IF v_found THEN
        IF v_changed THEN
            UPDATE "public"."north_orders" x SET "mail" = CASE WHEN p_whole OR ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN b."#2" ELSE x."mail" END, "total" = CASE WHEN p_whole OR ((a."#3") COLLATE "C" IS DISTINCT FROM (b."#3") COLLATE "C") THEN b."#3" ELSE x."total" END, "note" = CASE WHEN p_whole OR ((a."#4") COLLATE "C" IS DISTINCT FROM (b."#4") COLLATE "C") THEN b."#4" ELSE x."note" END WHERE x."id" = nullif(v_key, '')::integer RETURNING x.ctid INTO v_row;
            
        END IF;
    ELSIF p_whole THEN
        -- First: what is split from the row finds its parent by it, in the mirror that this INSERT sets off.
        
        INSERT INTO "public"."north_orders" ("id", "mail", "total", "note") OVERRIDING SYSTEM VALUE VALUES (b."#1", b."#2", b."#3", b."#4");
        -- The mirror of this table may not be there yet: what its application does to the row must not be missed.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT z.id, 'forward', v_new_key, 'unmirrored' FROM changeover.source z WHERE z.id = 10 AND z.state = 'found';
    ELSE
        -- The old side has deleted it, and what its mirror could not do at once is waiting.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT 10, 'forward', k.key, 'absent' FROM unnest(ARRAY[v_key, v_new_key]) AS k (key);
    END IF;
    IF v_found AND NOT p_whole
        AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = ANY (ARRAY[v_key]) AND c.source_id = 10 AND c.patch ? 'set')
    THEN
        -- An earlier write of these columns still waits. This one is newer: the other must not find its old value
        -- here again and take it for untouched.
        UPDATE changeover.queue c
        SET patch = jsonb_set(c.patch, '{set}', (c.patch -> 'set') - ARRAY(
            SELECT jsonb_object_keys(changeover.patch_of(10, "#old", "#new"))))
        WHERE c.key = ANY (ARRAY[v_key]) AND c.source_id = 10 AND c.direction = 'reverse' AND c.patch ? 'set';
    END IF;
    IF p_whole AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = v_key AND c.source_id = 10) THEN
        DELETE FROM changeover.queue c
        WHERE c.key = v_key AND c.source_id = 10 AND c.direction = 'reverse' AND c.patch ? 'erase';
    END IF;
    IF changeover.deferrable(ARRAY['"public"."north_orders"'::regclass]::oid[]) THEN
        PERFORM changeover.check_constraints(ARRAY['"public"."north_orders"'::regclass]::oid[]);
    END IF;
    v_set := set_config('changeover.putting', v_putting, true);
    v_set := set_config('changeover.origin', v_origin, true);
    IF NOT (v_found OR p_whole) THEN
        RETURN false;
    END IF;
    SELECT r."#1"::integer AS "#1", r."#2"::text AS "#2", r."#3"::text AS "#3", r."#4"::text AS "#4" INTO a FROM (
SELECT x."id" AS "#1",
    x."mail" AS "#2",
    x."total" AS "#3",
    x."note" AS "#4" FROM "public"."north_orders" x WHERE x."id" = nullif(v_new_key, '')::integer ORDER BY x.ctid LIMIT 1
    ) r;
    RETURN NOT FOUND OR a OPERATOR(pg_catalog.*<>) b
        OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.key = v_new_key);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_put("public"."orders", "public"."orders", boolean)'::pg_catalog.regprocedure);

-- function m10_image
-- The old row as text, column by column: by this a deletion that waited finds the row that was meant.
CREATE OR REPLACE FUNCTION changeover.m10_image("#old" "public"."orders")
RETURNS jsonb
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
BEGIN
    RETURN (SELECT '{}'::jsonb 
        || jsonb_build_object('id', a."#1"::text)
        || jsonb_build_object('mail', a."#2"::text)
        || jsonb_build_object('total', a."#3"::text)
        || jsonb_build_object('note', a."#4"::text) FROM changeover.m10_old_row("#old") a);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_image("public"."orders")'::pg_catalog.regprocedure);

-- function m10_erase
-- Reverse mirror of a deletion. Where a key can have several rows, it is the first that stood in the target; the
-- next one takes its place there. With p_image (a deletion that waited) only the row that was meant is deleted.
CREATE OR REPLACE FUNCTION changeover.m10_erase(p_key text, p_image jsonb)
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
    v_key text := p_key;
    v_row tid;
    v_found boolean;
BEGIN
    PERFORM set_config('changeover.origin', 'm10:r', true);
    PERFORM set_config('changeover.putting', ARRAY[p_key]::text, true);
    PERFORM x.tableoid FROM "public"."north_orders" x WHERE x."id" = nullif(v_key, '')::integer;
    v_found := FOUND;
    IF v_found THEN
        DELETE FROM "public"."north_orders" x USING (SELECT p_key AS key) k WHERE x."id" = nullif(v_key, '')::integer AND true;
    END IF;
    NULL;
    -- A batch that has not committed may have read this row, and bring it back into the target.
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT z.id, 'forward', p_key, 'gone' FROM changeover.source z
    WHERE z.id = 10 AND z.state NOT IN ('copied', 'archived');
    PERFORM changeover.check_constraints(ARRAY['"public"."north_orders"'::regclass]::oid[]);
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_erase(text, jsonb)'::pg_catalog.regprocedure);

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
    RETURN QUERY
    SELECT CASE o.source
        WHEN 10 THEN (CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::text ELSE NULL END, 'orphan'::text,
        ARRAY[CASE o.source
        WHEN 10 THEN 'public.north_orders' ELSE NULL END], NULL::jsonb, jsonb_build_object('id', t."id")
    FROM "public"."orders" t
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t."region" = ANY (ARRAY['north']::text[]::text[]) THEN 10 END AS source OFFSET 0) o
    WHERE t.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."orders" p WHERE p.ctid >= "#from" AND p.ctid < "#to")) AND true
      AND CASE o.source
        WHEN 10 THEN NOT EXISTS (SELECT FROM "public"."north_orders" x WHERE x."id" = CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)
            OR t."id" IS DISTINCT FROM nullif((CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::text, '')::bigint ELSE false END;
    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM "public"."orders" t WHERE t.ctid >= "#from" AND t.ctid < "#to";
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_orphans(bigint, bigint)'::pg_catalog.regprocedure);

-- function x1_delete_orphans
-- Repair: take out the rows of the target that belong to no old row, by what the orphan search said of them. Most orphans
-- have an old key, and deriving that key takes them out; these have none, or one that leads to another row. It is
-- asked again, behind everybody who writes them, and what could not be written back yet is no orphan. The history keeps
-- each row whole: somebody may have wanted it.
CREATE OR REPLACE FUNCTION changeover.x1_delete_orphans(p_rows jsonb[])
RETURNS bigint
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_ids bigint[];
    v_gone bigint;
BEGIN
    v_ids := ARRAY(SELECT CAST(u.found ->> 'id' AS bigint) FROM unnest(p_rows) AS u (found));
    PERFORM FROM "public"."orders" t WHERE t."id" = ANY (v_ids) FOR UPDATE;
    PERFORM set_config('changeover.origin', 'orders:f', true);
    WITH gone AS (
        DELETE FROM "public"."orders" g
        WHERE g."id" IN (
            SELECT t."id"
            FROM "public"."orders" t
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t."region" = ANY (ARRAY['north']::text[]::text[]) THEN 10 END AS source OFFSET 0) o
    WHERE t."id" = ANY (v_ids) AND true
      AND CASE o.source
        WHEN 10 THEN NOT EXISTS (SELECT FROM "public"."north_orders" x WHERE x."id" = CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)
            OR t."id" IS DISTINCT FROM nullif((CASE WHEN coalesce(t."originals", '{}') ? 'id' THEN (coalesce(t."originals", '{}') ->> 'id')::integer ELSE (changeover.try_integer((t."id")::text))::integer END)::text, '')::bigint ELSE false END
              AND NOT EXISTS (
                  SELECT FROM changeover.queue c JOIN changeover.source z ON z.id = c.source_id
                  WHERE z.mapping_id = 1 AND c.id > 0
                    AND (c.key IS NULL OR CAST(t."id" AS text) IN (c.key, c.patch ->> 'whole', c.patch ->> 'id'))))
        RETURNING to_jsonb(g.*) AS "row"
    ), noted AS (
        INSERT INTO changeover.event (plan, stage, kind, detail)
        SELECT m.plan, m.stage, 'row.orphan_deleted', jsonb_build_object('table', m.target, 'row', o."row")
        FROM gone o, changeover.mapping m WHERE m.id = 1
    )
    SELECT count(*) INTO v_gone FROM gone;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN v_gone;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_delete_orphans(jsonb[])'::pg_catalog.regprocedure);

-- function x1_before
-- Before every write of the new side: the source that the row belongs to keeps its originals true.
-- The application's write goes on, whatever hinders this: the row's id is left to the reverse mirror then, so that the
-- drain makes up for it. A table that moves at this moment (to the archive or back) is no hindrance: its functions move
-- with it, and are called again.
CREATE OR REPLACE FUNCTION changeover.x1_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
DECLARE
    v_source integer;
    v_former integer;
BEGIN
    FOR v_attempt IN 1 .. 3 LOOP
        BEGIN
            v_source := (SELECT z.id FROM changeover.source z WHERE z.mapping_id = 1 AND NEW."region"::text = ANY (z.discriminators) ORDER BY z.ordinal LIMIT 1);
            IF TG_OP = 'UPDATE' THEN
                v_former := (SELECT z.id FROM changeover.source z WHERE z.mapping_id = 1 AND OLD."region"::text = ANY (z.discriminators) ORDER BY z.ordinal LIMIT 1);
            END IF;
            IF v_source IS NULL THEN
                RETURN NEW;
            END IF;
            IF v_former IS NOT DISTINCT FROM v_source THEN
                EXECUTE format('SELECT * FROM changeover.m%s_carry($1, $2, false)', v_source) INTO NEW USING OLD, NEW;
            ELSE
                -- A row that goes over to this source is born there; the rules that it breaks go along.
                EXECUTE format('SELECT * FROM changeover.m%s_carry($1, $2, true)', v_source) INTO NEW USING OLD, NEW;
            END IF;
            RETURN NEW;
        EXCEPTION
            WHEN undefined_table OR undefined_column THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
            WHEN OTHERS THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
                EXIT;
        END;
    END LOOP;
    PERFORM set_config('changeover.hindered', array_append(
        nullif(current_setting('changeover.hindered', true), '')::text[], CAST(NEW."id" AS text))::text, true);
    RETURN NEW;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_before()'::pg_catalog.regprocedure);

-- function x1_reverse
-- The reverse mirror: each row that the new side writes goes to the source it belongs to. Row by row and
-- only for the new side (the trigger's WHEN), so that a batch pays nothing for it. It never raises, and it gives
-- way in a circle of waits (docs/concurrency.md, C1, C3, C5, C17); what could not be written waits in queue as a patch. So does everything that a
-- writer in SERIALIZABLE writes: it is not drawn into conflicts over rows it never asked for.
-- A row whose originals could not be kept true before the write waits as well, with what it was.
-- A table that has moved at this moment (to the archive or back) is looked for again: its functions have moved with it.
CREATE OR REPLACE FUNCTION changeover.x1_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_source integer;
    v_former integer;
    v_erased integer;
    v_key text;
    v_former_key text;
    v_alive boolean;
    v_again boolean;
    v_keyless integer;
    v_patch jsonb;
    v_state text;
    v_hindered boolean := false;
BEGIN
    IF TG_OP <> 'DELETE' AND current_setting('changeover.hindered', true) <> '' THEN
        v_hindered := CAST(NEW."id" AS text) = ANY (current_setting('changeover.hindered')::text[]);
        PERFORM set_config('changeover.hindered', coalesce(nullif(array_remove(
            current_setting('changeover.hindered')::text[], CAST(NEW."id" AS text))::text, '{}'), ''), true);
    END IF;
    FOR v_attempt IN 1 .. 3 LOOP
        v_source := NULL;
        v_former := NULL;
        v_former_key := NULL;
        v_erased := NULL;
        v_keyless := NULL;
        v_state := 'serializable';
        BEGIN
            IF TG_OP <> 'DELETE' THEN
                v_source := (SELECT z.id FROM changeover.source z WHERE z.mapping_id = 1 AND NEW."region"::text = ANY (z.discriminators) ORDER BY z.ordinal LIMIT 1);
                SELECT (true) INTO v_alive FROM (SELECT (NEW).*) t;
                IF v_alive IS NOT TRUE THEN
                    v_source := NULL;
                END IF;
            END IF;
            IF TG_OP <> 'INSERT' THEN
                v_former := (SELECT z.id FROM changeover.source z WHERE z.mapping_id = 1 AND OLD."region"::text = ANY (z.discriminators) ORDER BY z.ordinal LIMIT 1);
                SELECT (true) INTO v_alive FROM (SELECT (OLD).*) t;
                IF v_alive IS NOT TRUE THEN
                    v_former := NULL;
                END IF;
            END IF;
            IF v_former IS NOT NULL THEN
                EXECUTE format('SELECT changeover.m%s_key($1)', v_former) INTO v_former_key USING OLD;
                IF v_former_key IS NULL THEN
                    -- Nothing of it stands there, as far as this snapshot can see.
                    v_keyless := v_former;
                    v_former := NULL;
                END IF;
            END IF;
            -- Of another source's row the originals tells nothing, if it could not be kept true.
            IF v_source IS NOT NULL AND NOT (v_hindered AND v_source IS DISTINCT FROM v_former) THEN
                EXECUTE format('SELECT changeover.m%s_key($1)', v_source) INTO v_key USING NEW;
            END IF;
            IF v_former IS NOT NULL AND (v_source IS DISTINCT FROM v_former OR v_key IS DISTINCT FROM v_former_key) THEN
                v_erased := v_former;
                v_former := NULL;
            END IF;
            IF v_hindered THEN
                v_state := 'hindered';
            ELSIF current_setting('transaction_isolation') <> 'serializable' THEN
                IF v_erased IS NOT NULL THEN
                    EXECUTE format('SELECT changeover.m%s_erase($1, NULL)', v_erased) USING v_former_key;
                    PERFORM changeover.release(v_erased, ARRAY[v_former_key]);
                END IF;
                IF v_source IS NOT NULL AND v_former IS NULL THEN
                    EXECUTE format('SELECT changeover.m%s_put(NULL, $1, true)', v_source) INTO v_again USING NEW;
                ELSIF v_source IS NOT NULL THEN
                    EXECUTE format('SELECT changeover.m%s_put($1, $2, false)', v_source) INTO v_again USING OLD, NEW;
                END IF;
                IF v_again THEN
                    EXECUTE format('SELECT changeover.apply(%1$s, ARRAY[changeover.m%1$s_key($1)])', v_source) USING NEW;
                    -- What it wrote may be in the way of a row that waits: the application's COMMIT is not to tell (C12).
                    PERFORM changeover.check_constraints(ARRAY[TG_RELID]);
                END IF;
                v_state := NULL;
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
    IF v_keyless IS NOT NULL AND (v_source IS DISTINCT FROM v_keyless OR v_state IS NULL) THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT v_keyless, 'reverse', w.id, 'keyless', jsonb_build_object('whole', w.id)
        FROM (SELECT CAST(OLD."id" AS text) AS id) w;
    END IF;
    IF v_state IS NULL THEN
        v_waits := set_config('lock_timeout', v_waits, true);
        RETURN NULL;
    END IF;
    IF v_erased IS NOT NULL THEN
        v_patch := '{"erase": null}';
        IF v_erased = ANY ('{}'::integer[]) THEN
            -- Of several rows with one key only this one is meant, whichever comes first when it is drained.
            BEGIN
                EXECUTE format('SELECT jsonb_build_object(''erase'', changeover.m%s_image($1))', v_erased) INTO v_patch USING OLD;
            EXCEPTION WHEN OTHERS THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
            END;
        END IF;
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        VALUES (v_erased, 'reverse', v_former_key, v_state, v_patch);
    END IF;
    IF v_source IS NOT NULL THEN
        BEGIN
            IF v_former IS NULL OR v_key IS NULL THEN
                v_patch := jsonb_build_object('whole', CAST(NEW."id" AS text));
                IF v_keyless = v_source THEN
                    v_patch := v_patch || jsonb_build_object('set', changeover.patch_of(v_source, OLD, NEW));
                END IF;
            ELSE
                v_patch := jsonb_build_object('set', changeover.patch_of(v_source, OLD, NEW));
            END IF;
            IF v_hindered THEN
                v_patch := v_patch || jsonb_build_object(
                    'carry', CASE WHEN v_former IS NOT NULL OR v_keyless = v_source THEN to_jsonb(OLD) END,
                    'id', CAST(NEW."id" AS text));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            v_patch := NULL;
        END;
        IF v_patch IS DISTINCT FROM '{"set": {}}' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            VALUES (v_source, 'reverse', coalesce(v_key, CAST(NEW."id" AS text)), v_state, v_patch);
        END IF;
    END IF;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_reverse()'::pg_catalog.regprocedure);

-- trigger changeover_x1_reverse on "public"."orders"
CREATE OR REPLACE TRIGGER "changeover_x1_before" BEFORE INSERT OR UPDATE ON "public"."orders" FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '') EXECUTE FUNCTION changeover.x1_before();
CREATE OR REPLACE TRIGGER "changeover_x1_reverse" AFTER INSERT OR UPDATE OR DELETE ON "public"."orders" FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '') EXECUTE FUNCTION changeover.x1_reverse();
CREATE OR REPLACE TRIGGER "changeover_x1_trunc" AFTER TRUNCATE ON "public"."orders" FOR EACH STATEMENT EXECUTE FUNCTION changeover.emptied('x1');
CREATE OR REPLACE TRIGGER "changeover_x1_taken" AFTER UPDATE OR DELETE ON "public"."orders" FOR EACH ROW WHEN (CASE coalesce(current_setting('changeover.origin', true), '') WHEN '' THEN false WHEN 'orders:f' THEN pg_trigger_depth() > CASE WHEN coalesce(current_setting('changeover.draining', true), '') = '' THEN 1 ELSE 0 END ELSE true END) EXECUTE FUNCTION changeover.taken('x1');

-- trigger changeover_x1_lookup0_ins on "public"."people"
CREATE OR REPLACE TRIGGER "changeover_x1_lookup0_ins" AFTER INSERT ON "public"."people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.lookup_changed('1', 'owner', 'id', 'orders:f', '{"mail"}', '{"id","mail"}');

-- trigger changeover_x1_lookup0_upd on "public"."people"
CREATE OR REPLACE TRIGGER "changeover_x1_lookup0_upd" AFTER UPDATE ON "public"."people" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.lookup_changed('1', 'owner', 'id', 'orders:f', '{"mail"}', '{"id","mail"}');

-- trigger changeover_x1_lookup0_del on "public"."people"
CREATE OR REPLACE TRIGGER "changeover_x1_lookup0_del" AFTER DELETE ON "public"."people" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.lookup_changed('1', 'owner', 'id', 'orders:f', '{"mail"}', '{"id","mail"}');

-- trigger changeover_x1_lookup0_trunc on "public"."people"
CREATE OR REPLACE TRIGGER "changeover_x1_lookup0_trunc" AFTER TRUNCATE ON "public"."people" FOR EACH STATEMENT EXECUTE FUNCTION changeover.lookup_changed('1', 'owner', 'id', 'orders:f', '{"mail"}', '{"id","mail"}');

-- trigger changeover_a000010_ins on "public"."north_orders"
CREATE OR REPLACE TRIGGER "changeover_a000010_ins" AFTER INSERT ON "public"."north_orders" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_a000010_upd on "public"."north_orders"
CREATE OR REPLACE TRIGGER "changeover_a000010_upd" AFTER UPDATE ON "public"."north_orders" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_a000010_del on "public"."north_orders"
CREATE OR REPLACE TRIGGER "changeover_a000010_del" AFTER DELETE ON "public"."north_orders" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_a000010_trunc on "public"."north_orders"
CREATE OR REPLACE TRIGGER "changeover_a000010_trunc" AFTER TRUNCATE ON "public"."north_orders" FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m10');

-- view compat.north_orders
DROP VIEW IF EXISTS "compat"."north_orders";
DROP FUNCTION IF EXISTS changeover.m10_old(tid, oid);
CREATE FUNCTION changeover.m10_old(tid, oid, OUT "#there" boolean, OUT "#1" integer, OUT "#2" text, OUT "#3" text, OUT "#4" text)
LANGUAGE sql
STABLE
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS '-- One row of the old table, made of the row of the new table at a place: the body of the function that the compatibility
-- view calls. A role that may read the old table may execute it, and is given no row that the old table would not show
-- it: with row-level security on the old table, only a session of its owner is given one; and whoever has lost the right
-- to read the old table is given none, whether the view asks or somebody calls the function. The role that asks is the
-- one of SET ROLE, else of the session: within the function the current one is always its owner.
SELECT true, r."#1", r."#2", r."#3", r."#4"
FROM "public"."orders" t CROSS JOIN LATERAL changeover.m10_old_row(t.*) r
WHERE t."region" = ANY (ARRAY[''north'']::text[]::text[]) AND true
    AND t.ctid = $1 AND t.tableoid = $2
    AND (SELECT NOT c.relrowsecurity OR pg_catalog.pg_has_role(session_user, c.relowner, ''USAGE'')
         FROM pg_catalog.pg_class c WHERE c.oid = 100000)
    AND (SELECT pg_catalog.has_table_privilege(CASE pg_catalog.current_setting(''role'') WHEN ''none'' THEN session_user ELSE pg_catalog.current_setting(''role'')::name END, 100000::oid, ''SELECT''))
';
SELECT changeover.keep_private('changeover.m10_old(tid, oid)'::pg_catalog.regprocedure);
CREATE VIEW "compat"."north_orders" AS
SELECT (o.row)."#1"::integer AS "id",
    (o.row)."#2"::text AS "mail",
    (o.row)."#3"::text AS "total",
    (o.row)."#4"::text AS "note"
FROM (
SELECT changeover.m10_old(t.ctid, t.tableoid) AS row
FROM "public"."orders" t
WHERE t."region" = ANY (ARRAY['north']::text[]::text[]) AND true
    AND (SELECT has_table_privilege(100000::oid, 'SELECT') AND NOT row_security_active(100000::oid) AND pg_catalog.has_table_privilege(CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user ELSE pg_catalog.current_setting('role')::name END, 100000::oid, 'SELECT'))
OFFSET 0
) o;
SELECT changeover.keep_private('"compat"."north_orders"'::pg_catalog.regclass, false);
