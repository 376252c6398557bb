-- What a small plan of kind merge compiles to. `make golden` writes this file; see tests/unit/golden/plans.py.

-- index changeover_10_key
CREATE INDEX CONCURRENTLY "changeover_10_key" ON "public"."members" ((changeover.fold("mail"))) TABLESPACE "pg_default";

-- index changeover_11_key
CREATE INDEX CONCURRENTLY "changeover_11_key" ON "public"."subscribers" ((changeover.fold("mail"))) TABLESPACE "pg_default";

-- function m10_old_row
DROP FUNCTION IF EXISTS changeover.m10_old_row("public"."contacts");
-- The old row that a new row stands for, written once: every other function asks here. The originals come first, then the way
-- back. STABLE, one SELECT, no settings of its own and not strict, like new_rows.
CREATE OR REPLACE FUNCTION changeover.m10_old_row(n "public"."contacts")
RETURNS TABLE ("#1" text, "#2" text)
LANGUAGE sql
STABLE
AS $changeover$
    SELECT (CASE WHEN coalesce(t."originals" -> 'members', '{}') ? 'mail' THEN (coalesce(t."originals" -> 'members', '{}') ->> 'mail')::text ELSE (t.mail)::text END)::text AS "#1",
    (CASE WHEN coalesce(t."originals" -> 'members', '{}') ? 'name' THEN (coalesce(t."originals" -> 'members', '{}') ->> 'name')::text ELSE (t.name)::text END)::text AS "#2"
    FROM (SELECT (n).*) t
$changeover$;
SELECT changeover.keep_private('changeover.m10_old_row("public"."contacts")'::pg_catalog.regprocedure);

-- function m11_old_row
DROP FUNCTION IF EXISTS changeover.m11_old_row("public"."contacts");
-- The old row that a new row stands for, written once: every other function asks here. The originals come first, then the way
-- back. STABLE, one SELECT, no settings of its own and not strict, like new_rows.
CREATE OR REPLACE FUNCTION changeover.m11_old_row(n "public"."contacts")
RETURNS TABLE ("#1" integer, "#2" text, "#3" date)
LANGUAGE sql
STABLE
AS $changeover$
    SELECT ((coalesce(t."originals" -> 'subscribers', '{}') ->> 'id')::integer)::integer AS "#1",
    (CASE WHEN coalesce(t."originals" -> 'subscribers', '{}') ? 'mail' THEN (coalesce(t."originals" -> 'subscribers', '{}') ->> 'mail')::text ELSE (t.mail)::text END)::text AS "#2",
    (CASE WHEN coalesce(t."originals" -> 'subscribers', '{}') ? 'since' THEN (coalesce(t."originals" -> 'subscribers', '{}') ->> 'since')::date ELSE (t.since)::date END)::date AS "#3"
    FROM (SELECT (n).*) t
$changeover$;
SELECT changeover.keep_private('changeover.m11_old_row("public"."contacts")'::pg_catalog.regprocedure);

-- function x1_new_rows
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.x1_new_rows("#keys" text[])
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "mail" text, "name" text, "since" date, "originals" jsonb, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT k.key AS "#key",
    NULL::jsonb AS "#row",
    NULL::tid AS "#ctid",
    t."mail",
    t."name",
    t."since",
    (CASE WHEN "members"."#present" THEN jsonb_build_object('members', (CASE WHEN ((members."#1") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C")
        THEN CASE WHEN ((members."#1") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C") THEN jsonb_build_object('mail', (members."#1")::text) ELSE '{}'::jsonb END
        ELSE '{}'::jsonb END)) ELSE '{}'::jsonb END || CASE WHEN "subscribers"."#present" THEN jsonb_build_object('subscribers', (jsonb_strip_nulls(jsonb_build_object('id', (subscribers."#1")::text))
        || CASE WHEN ((subscribers."#2") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C")
        THEN CASE WHEN ((subscribers."#2") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C") THEN jsonb_build_object('mail', (subscribers."#2")::text) ELSE '{}'::jsonb END
        ELSE '{}'::jsonb END)) ELSE '{}'::jsonb END) AS "originals",
    CASE WHEN "members"."#present" IS NULL AND "subscribers"."#present" IS NULL THEN 'gone' END AS "#reason",
    false AS "#unresolved"
FROM (SELECT DISTINCT u.key FROM unnest("#keys") AS u (key)) k
LEFT JOIN LATERAL (
    SELECT s.* FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = k.key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1
) "members" ON true
LEFT JOIN LATERAL (
    SELECT s.* FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = k.key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1
) "subscribers" ON true
CROSS JOIN LATERAL (
    SELECT (k.key)::text AS "mail",
        (members.name)::text AS "name",
        (subscribers.since)::date AS "since"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.x1_new_rows(text[])'::pg_catalog.regprocedure);

-- function x1_new_rows_of
-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.x1_new_rows_of("#new" "public"."contacts")
RETURNS TABLE ("#key" text, "#row" jsonb, "#ctid" tid, "mail" text, "name" text, "since" date, "originals" jsonb, "#reason" text, "#unresolved" boolean)
LANGUAGE sql
STABLE
AS $changeover$
SELECT k.key AS "#key",
    NULL::jsonb AS "#row",
    NULL::tid AS "#ctid",
    t."mail",
    t."name",
    t."since",
    (CASE WHEN "members"."#present" THEN jsonb_build_object('members', (CASE WHEN ((members."#1") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C")
        THEN CASE WHEN ((members."#1") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C") THEN jsonb_build_object('mail', (members."#1")::text) ELSE '{}'::jsonb END
        ELSE '{}'::jsonb END)) ELSE '{}'::jsonb END || CASE WHEN "subscribers"."#present" THEN jsonb_build_object('subscribers', (jsonb_strip_nulls(jsonb_build_object('id', (subscribers."#1")::text))
        || CASE WHEN ((subscribers."#2") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C")
        THEN CASE WHEN ((subscribers."#2") COLLATE "C" IS DISTINCT FROM ((t.mail)::text) COLLATE "C") THEN jsonb_build_object('mail', (subscribers."#2")::text) ELSE '{}'::jsonb END
        ELSE '{}'::jsonb END)) ELSE '{}'::jsonb END) AS "originals",
    CASE WHEN "members"."#present" IS NULL AND "subscribers"."#present" IS NULL THEN 'gone' END AS "#reason",
    false AS "#unresolved"
FROM (SELECT ("#new")."mail"::text AS key) k
LEFT JOIN LATERAL (
    SELECT s.* FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM (SELECT r."#1" AS "mail",
    r."#2" AS "name" FROM changeover.m10_old_row("#new") r OFFSET 0) x
    WHERE true
    ) s WHERE ("#new")."originals" ? 'members'
) "members" ON true
LEFT JOIN LATERAL (
    SELECT s.* FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM (SELECT r."#1" AS "id",
    r."#2" AS "mail",
    r."#3" AS "since" FROM changeover.m11_old_row("#new") r OFFSET 0) x
    WHERE true
    ) s WHERE ("#new")."originals" ? 'subscribers'
) "subscribers" ON true
CROSS JOIN LATERAL (
    SELECT (k.key)::text AS "mail",
        (members.name)::text AS "name",
        (subscribers.since)::date AS "since"
    OFFSET 0
) t
$changeover$;
SELECT changeover.keep_private('changeover.x1_new_rows_of("public"."contacts")'::pg_catalog.regprocedure);

-- function x1_apply
-- Make the target what its sources say now for these natural keys. The keys are derived once, and written one by one.
-- Two writers may touch two sources of one key at once, and neither sees the other's row. So the target rows are
-- locked before the sources are read: the second writer sees what the first has committed while it waited. A row
-- that is not there yet cannot be locked; if somebody else has made it when it is to be inserted, its key is
-- derived again, with the lock. A key that has no row in the end was not protected by anything, and a snapshot of
-- REPEATABLE READ may have hidden a row that changes nothing in the target but the order: both are looked at again.
-- What the new side has written and could not write back yet waits in queue; the sources do not know of it, so
-- such a row is left alone until it is settled: the new side goes on reading what it wrote. The source that asked for it
-- may have said something new, so the queue is that source's.
CREATE OR REPLACE FUNCTION changeover.x1_apply("#keys" text[], p_source integer DEFAULT 10)
RETURNS void
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_all text[];
    v_standing text[];
    v_ahead text[];
    v_waiting text[];
    v_missing text[];
    v_again text[];
    v_changed_ahead text[] := '{}';
    v_bad text[] := '{}';
    v_reasons text[] := '{}';
    v_unsure text[] := '{}';
    v_odd text[];
    v_row record;
BEGIN
    PERFORM set_config('changeover.origin', 'contacts:f', true);
    v_all := ARRAY(SELECT DISTINCT u.key FROM unnest("#keys") AS u (key) ORDER BY u.key);
    "#keys" := v_all;
    FOR v_pass IN 1..4 LOOP
        SELECT array_agg(g.key), array_agg(g.key) FILTER (WHERE g.ahead) INTO v_standing, v_ahead
        FROM (SELECT g."mail" AS key, (coalesce(g."originals", '{}') ? '~') AS ahead FROM "public"."contacts" g
              WHERE g."mail" = ANY ("#keys") ORDER BY g."mail" FOR NO KEY UPDATE) g;
        v_waiting := ARRAY(SELECT k.key FROM unnest("#keys") AS k (key) WHERE (EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = 'reverse' AND c.key = k.key) OR EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = 'reverse' AND c.patch ->> 'key' = k.key))
                           UNION SELECT unnest(changeover.noted(ARRAY[10, 11], "#keys")));
        IF v_waiting <> '{}' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, not_before)
            SELECT p_source, 'forward', k.key, 'waiting', clock_timestamp() + interval '100 ms'
            FROM unnest(v_waiting) AS k (key);
            "#keys" := ARRAY(SELECT k.key FROM unnest("#keys") AS k (key) EXCEPT SELECT k.key FROM unnest(v_waiting) AS k (key));
            v_all := ARRAY(SELECT k.key FROM unnest(v_all) AS k (key) EXCEPT SELECT k.key FROM unnest(v_waiting) AS k (key));
        END IF;

        v_missing := '{}';
        v_again := '{}';
        -- What is gone goes first: its ids and unique values are free for others then.
        FOR v_row IN
            SELECT d.*, d."#key" IN (SELECT s.key FROM unnest(v_standing) AS s (key)) AS "#standing",
                d."#key" IN (SELECT s.key FROM unnest(v_ahead) AS s (key)) AS "#ahead"
            FROM (
SELECT r.* FROM changeover.x1_new_rows("#keys") r
            ) d
            ORDER BY d."#reason" IS NULL, d."#key"
        LOOP
            IF v_row."#reason" IS NOT NULL THEN
                v_bad := v_bad || v_row."#key";
                v_reasons := v_reasons || v_row."#reason";
                IF v_row."#standing" THEN
                    DELETE FROM "public"."contacts" g WHERE g."mail" = v_row."#key" AND g."originals" <> '{}';
                ELSE
                    v_unsure := v_unsure || v_row."#key";
                END IF;
            ELSIF v_row."#unresolved" AND v_pass < 3 THEN
                v_missing := v_missing || v_row."#key";
            ELSIF v_row."#ahead" THEN
                v_changed_ahead := v_changed_ahead || v_row."#key";
            ELSE
                -- (no such column)
                IF v_row."#standing" THEN
                    UPDATE "public"."contacts" g SET "name" = v_row."name", "since" = v_row."since", "originals" = v_row."originals" WHERE g."mail" = v_row."#key" AND ((g."name", g."since", g."originals") IS DISTINCT FROM (v_row."name", v_row."since", v_row."originals"));
                ELSE
                    INSERT INTO "public"."contacts" ("mail", "name", "since", "originals") VALUES (v_row."mail", v_row."name", v_row."since", v_row."originals") ON CONFLICT ("mail") DO NOTHING;
                    IF NOT FOUND THEN
                        v_again := v_again || v_row."#key";
                    END IF;
                END IF;
            END IF;
        END LOOP;
        IF v_missing <> '{}' THEN
            "#keys" := v_missing;
            NULL;
            v_again := v_again || v_missing;
        END IF;
        EXIT WHEN v_again = '{}';
        "#keys" := v_again;
    END LOOP;
    IF v_again <> '{}' THEN
        RAISE EXCEPTION 'others make and delete the rows of % all the time', v_again USING ERRCODE = 'serialization_failure';
    END IF;

    IF v_changed_ahead <> '{}' THEN
        PERFORM changeover.update_ahead(changeover.fragments(10), v_changed_ahead);
    END IF;

    -- The rejects of these keys become exactly those that apply now. Nothing to do for a key with one row a source.
    v_odd := ARRAY(
        SELECT k.key FROM unnest(v_all) AS k (key)
        WHERE k.key = ''
           OR k.key IN (SELECT b.key FROM unnest(v_bad, v_reasons) AS b (key, reason) WHERE b.reason <> 'gone')
           OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id IN (10, 11) AND r.key = k.key)
           OR (SELECT count(*) > 1 OR bool_or((changeover.valid_email(x."mail")) IS NOT TRUE) FROM "public"."members" x WHERE changeover.fold(x."mail") = k.key)
           OR (SELECT count(*) > 1 OR bool_or((changeover.valid_email(x."mail")) IS NOT TRUE) FROM "public"."subscribers" x WHERE changeover.fold(x."mail") = k.key)
    );
    IF v_odd <> '{}' THEN
        PERFORM changeover.settle_rejects(p.id, v_odd, changeover.fragments(p.id) ->> 'rejected', v_bad, v_reasons)
        FROM unnest(ARRAY[10, 11]) AS p (id);
    END IF;

    IF NOT EXISTS (SELECT FROM changeover.source z
                   WHERE z.mapping_id = 1 AND z.id::text = current_setting('changeover.draining', true)) THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            v_unsure := v_all;
        ELSIF v_bad <> '{}'
            AND EXISTS (SELECT FROM changeover.source z WHERE z.mapping_id = 1 AND z.state NOT IN ('copied', 'archived'))
        THEN
            -- A batch that has not committed may bring such a row back.
            v_unsure := v_bad;
        END IF;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT 10, 'forward', k.key, 'unsure' FROM unnest(v_unsure) AS k (key);
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_apply(text[], integer)'::pg_catalog.regprocedure);

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
    RETURN QUERY SELECT t."mail", 'orphan'::text, ARRAY['public.members'], NULL::jsonb, jsonb_build_object('mail', t."mail")
    FROM "public"."contacts" t
    WHERE t.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."contacts" p WHERE p.ctid >= "#from" AND p.ctid < "#to")) AND t."originals" ? 'members'
      AND NOT EXISTS (SELECT FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s WHERE changeover.fold(s.mail) = t."mail" AND (changeover.valid_email(s.mail)));
    RETURN QUERY SELECT t."mail", 'orphan'::text, ARRAY['public.subscribers'], NULL::jsonb, jsonb_build_object('mail', t."mail")
    FROM "public"."contacts" t
    WHERE t.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."contacts" p WHERE p.ctid >= "#from" AND p.ctid < "#to")) AND t."originals" ? 'subscribers'
      AND NOT EXISTS (SELECT FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s WHERE changeover.fold(s.mail) = t."mail" AND (changeover.valid_email(s.mail)));
    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM "public"."contacts" t WHERE t.ctid >= "#from" AND t.ctid < "#to";
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_orphans(bigint, bigint)'::pg_catalog.regprocedure);

-- function x1_carry
-- Before a write of the new side: the originals of each source stays true (see carry.sql for the rules).
-- A row is born with the sources that the plan's `when` gives it; a later change can add or end one.
CREATE OR REPLACE FUNCTION changeover.x1_carry("#old" "public"."contacts", "#new" "public"."contacts", p_insert boolean)
RETURNS "public"."contacts"
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_document jsonb := '{}';
    v_part jsonb;
    v_had boolean;
    v_has boolean;
    v_said "public"."contacts";
    a record;
    b record;
    v_ahead jsonb;
    v_exempt text[];
    v_reason text;
BEGIN
    IF NOT p_insert AND coalesce("#old"."originals", '{}') = '{}' THEN
        "#new"."originals" := '{}';
        RETURN "#new";
    END IF;
    -- what belongs to members
    v_had := NOT p_insert AND coalesce("#old"."originals" ? 'members', false);
    SELECT (true) INTO v_has FROM (SELECT ("#new").*) t;
    IF NOT p_insert AND v_has IS TRUE AND NOT v_had THEN
        -- An existing row gets this source only when the change itself made the condition true.
        SELECT (true) IS NOT TRUE INTO v_has FROM (SELECT ("#old").*) t;
    END IF;
    IF v_has IS TRUE THEN
        IF v_had THEN
            v_part := "#old"."originals" -> 'members';
            -- What the way back gives where nothing is kept (see carry.sql).
            FOR v_nth IN 1 .. 2 LOOP
                v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
                v_said."originals" := '{}';
                SELECT r.* INTO b FROM changeover.m10_old_row(v_said) r;
                IF v_nth = 1 THEN
                    a := b;
                END IF;
            END LOOP;
            v_part := v_part - array_remove(ARRAY[CASE WHEN v_part ? 'mail' AND ((a."#1") COLLATE "C" IS DISTINCT FROM (b."#1") COLLATE "C") THEN 'mail' END, CASE WHEN v_part ? 'name' AND ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN 'name' END]::text[], NULL);
        ELSE
            v_part := '{}';
        END IF;
        
        v_document := v_document || jsonb_build_object('members', v_part);
    END IF;

    -- what belongs to subscribers
    v_had := NOT p_insert AND coalesce("#old"."originals" ? 'subscribers', false);
    SELECT (true) INTO v_has FROM (SELECT ("#new").*) t;
    IF NOT p_insert AND v_has IS TRUE AND NOT v_had THEN
        -- An existing row gets this source only when the change itself made the condition true.
        SELECT (true) IS NOT TRUE INTO v_has FROM (SELECT ("#old").*) t;
    END IF;
    IF v_has IS TRUE THEN
        IF v_had THEN
            v_part := "#old"."originals" -> 'subscribers';
            -- What the way back gives where nothing is kept (see carry.sql).
            FOR v_nth IN 1 .. 2 LOOP
                v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
                v_said."originals" := '{}';
                SELECT r.* INTO b FROM changeover.m11_old_row(v_said) r;
                IF v_nth = 1 THEN
                    a := b;
                END IF;
            END LOOP;
            v_part := v_part - array_remove(ARRAY[CASE WHEN v_part ? 'mail' AND ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN 'mail' END, CASE WHEN v_part ? 'since' AND ((a."#3") IS DISTINCT FROM (b."#3")) THEN 'since' END]::text[], NULL);
        ELSE
            v_part := '{}';
        END IF;
        
        v_document := v_document || jsonb_build_object('subscribers', v_part);
    END IF;

    "#new"."originals" := v_document;
    SELECT '{}'::jsonb
        || CASE WHEN d."name" IS DISTINCT FROM ("#new")."name" THEN jsonb_build_object('name', d."name"::text) ELSE '{}' END
        || CASE WHEN d."since" IS DISTINCT FROM ("#new")."since" THEN jsonb_build_object('since', d."since"::text) ELSE '{}' END, d."#reason", NULL::text[]
    INTO v_ahead, v_reason, v_exempt
    FROM (
SELECT r.* FROM changeover.x1_new_rows_of("#new") r
    ) d;
    IF v_reason IS NULL AND v_ahead IS NOT NULL AND v_ahead <> '{}' THEN
        "#new"."originals" := v_document || jsonb_build_object('~', v_ahead);
    END IF;
    
    RETURN "#new";
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_carry("public"."contacts", "public"."contacts", boolean)'::pg_catalog.regprocedure);

-- function x1_before
-- Before every write of the new side; what hinders it is left to the comparison, the write goes on.
CREATE OR REPLACE FUNCTION changeover.x1_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW := changeover.x1_carry(NULL, NEW, true);
    ELSE
        NEW := changeover.x1_carry(OLD, NEW, false);
    END IF;
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
    RETURN NEW;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_before()'::pg_catalog.regprocedure);

-- function x1_reverse
-- The reverse mirror of a merge: every source that the row has or had. It never raises, and it gives way in a
-- circle of waits (docs/concurrency.md, C1, C3, C5, C17); what could not be written waits in queue as a patch, as does what a writer in SERIALIZABLE
-- writes. Nothing overtakes what waits: a later write of the same key waits behind it, or it would look for the row
-- under a key that the row does not have yet. The row is derived again only after all its sources are written, and no
-- other one: what the same statement has written to others may not be written back yet.
CREATE OR REPLACE FUNCTION changeover.x1_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
SET enable_seqscan = off
AS $changeover$
DECLARE
    v_waits text := changeover.wait_less();
    v_old_key text;
    v_new_key text;
    v_again boolean := false;
    v_state text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        v_old_key := OLD."mail";
    END IF;
    IF TG_OP <> 'DELETE' THEN
        v_new_key := NEW."mail";
    END IF;
    -- to members
    DECLARE
        v_had boolean := false;
        v_has boolean := false;
        v_done boolean := false;
        v_patch jsonb;
        v_state text;
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            v_had := coalesce(OLD."originals" ? 'members', false);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            v_has := coalesce(NEW."originals" ? 'members', false);
        END IF;
        -- A table that has moved at this moment is looked for again: its functions have moved with it.
        FOR v_attempt IN 1 .. 3 LOOP
            v_state := 'serializable';
            BEGIN
                IF (v_had OR v_has) AND current_setting('transaction_isolation') <> 'serializable' THEN
                    IF EXISTS (SELECT FROM changeover.queue c
                               WHERE c.source_id = 10 AND c.direction = 'reverse' AND c.key IN (v_old_key, v_new_key))
                        OR EXISTS (SELECT FROM changeover.queue c
                                   WHERE c.source_id = 10 AND c.direction = 'reverse' AND c.patch ->> 'key' IN (v_old_key, v_new_key))
                    THEN
                        v_state := 'waiting';
                    ELSE
                        IF v_had AND v_has THEN
                            v_again := changeover.m10_put(OLD, NEW, false) OR v_again;
                            IF v_old_key IS DISTINCT FROM v_new_key THEN
                                -- A row that lost to this one may now be the first of its key.
                                INSERT INTO changeover.queue (source_id, direction, key, cause)
                                VALUES (10, 'forward', v_old_key, 'key change');
                            END IF;
                        ELSIF v_has THEN
                            v_again := changeover.m10_put(NULL, NEW, true) OR v_again;
                        ELSE
                            PERFORM changeover.m10_erase(v_old_key, NULL);
                        END IF;
                        v_done := true;
                    END IF;
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
        IF NOT v_done AND (v_had OR v_has) THEN
            BEGIN
                IF v_had AND v_has THEN
                    v_patch := jsonb_build_object('set', changeover.patch_of(10, OLD, NEW));
                    IF v_old_key IS DISTINCT FROM v_new_key THEN
                        v_patch := v_patch || jsonb_build_object('key', v_new_key);
                    END IF;
                ELSIF v_has THEN
                    v_patch := jsonb_build_object('whole', v_new_key);
                ELSE
                    v_patch := jsonb_build_object('erase', changeover.m10_image(OLD));
                END IF;
            EXCEPTION WHEN OTHERS THEN
                v_patch := NULL;
            END;
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            VALUES (10, 'reverse', coalesce(v_old_key, v_new_key), v_state, v_patch);
        END IF;
    END;

    -- to subscribers
    DECLARE
        v_had boolean := false;
        v_has boolean := false;
        v_done boolean := false;
        v_patch jsonb;
        v_state text;
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            v_had := coalesce(OLD."originals" ? 'subscribers', false);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            v_has := coalesce(NEW."originals" ? 'subscribers', false);
        END IF;
        -- A table that has moved at this moment is looked for again: its functions have moved with it.
        FOR v_attempt IN 1 .. 3 LOOP
            v_state := 'serializable';
            BEGIN
                IF (v_had OR v_has) AND current_setting('transaction_isolation') <> 'serializable' THEN
                    IF EXISTS (SELECT FROM changeover.queue c
                               WHERE c.source_id = 11 AND c.direction = 'reverse' AND c.key IN (v_old_key, v_new_key))
                        OR EXISTS (SELECT FROM changeover.queue c
                                   WHERE c.source_id = 11 AND c.direction = 'reverse' AND c.patch ->> 'key' IN (v_old_key, v_new_key))
                    THEN
                        v_state := 'waiting';
                    ELSE
                        IF v_had AND v_has THEN
                            v_again := changeover.m11_put(OLD, NEW, false) OR v_again;
                            IF v_old_key IS DISTINCT FROM v_new_key THEN
                                -- A row that lost to this one may now be the first of its key.
                                INSERT INTO changeover.queue (source_id, direction, key, cause)
                                VALUES (11, 'forward', v_old_key, 'key change');
                            END IF;
                        ELSIF v_has THEN
                            v_again := changeover.m11_put(NULL, NEW, true) OR v_again;
                        ELSE
                            PERFORM changeover.m11_erase(v_old_key, NULL);
                        END IF;
                        v_done := true;
                    END IF;
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
        IF NOT v_done AND (v_had OR v_has) THEN
            BEGIN
                IF v_had AND v_has THEN
                    v_patch := jsonb_build_object('set', changeover.patch_of(11, OLD, NEW));
                    IF v_old_key IS DISTINCT FROM v_new_key THEN
                        v_patch := v_patch || jsonb_build_object('key', v_new_key);
                    END IF;
                ELSIF v_has THEN
                    v_patch := jsonb_build_object('whole', v_new_key);
                ELSE
                    v_patch := jsonb_build_object('erase', changeover.m11_image(OLD));
                END IF;
            EXCEPTION WHEN OTHERS THEN
                v_patch := NULL;
            END;
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            VALUES (11, 'reverse', coalesce(v_old_key, v_new_key), v_state, v_patch);
        END IF;
    END;

    IF v_again THEN
        BEGIN
            PERFORM changeover.x1_apply(ARRAY[v_new_key]);
            PERFORM changeover.check_constraints(ARRAY[TG_RELID]);  -- the application's COMMIT is not to tell what it broke (C12)
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            VALUES (10, 'forward', v_new_key, v_state);
        END;
    END IF;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.x1_reverse()'::pg_catalog.regprocedure);

-- function m10_fragments
-- What the fixed functions must know of this source: pieces of SQL over x, the old table, and g, the new one.
CREATE OR REPLACE FUNCTION changeover.m10_fragments()
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT jsonb_build_object(
        'path', 'pg_catalog, "public", "changeover", pg_temp',
        'source', '"public"."members"',
        'target', '"public"."contacts"',
        'written', ARRAY['"public"."contacts"']::text[],
        'key', 'coalesce(changeover.fold(x."mail"), '''')',
        'row', 'to_jsonb(x.*)',
        'of_keys', '(changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL))',
        'lock', ARRAY['SELECT FROM "public"."members" x WHERE (changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL)) ORDER BY x.ctid FOR NO KEY UPDATE', 'SELECT FROM "public"."subscribers" x WHERE (changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL)) ORDER BY x.ctid FOR NO KEY UPDATE']::text[],
        'own', 'g."originals" ? ''members''',
        'meant', 'g."mail" = $1',
        'remove', 'DELETE FROM "public"."contacts" g WHERE g."mail" = ANY ($1) AND g."originals" <> ''{}''',
        'remove_all', 'SELECT changeover.x1_apply(ARRAY(SELECT t."mail" AS key FROM "public"."contacts" t WHERE t."originals" ? ''members'' UNION SELECT r.key FROM changeover.reject r WHERE r.source_id = 10 AND r.id > 0), 10)',
        'apply', 'x1_apply',
        'left_over', 'SELECT t."mail" AS key FROM "public"."contacts" t WHERE t."originals" ? ''members''',
        'rejected', 'SELECT f.key, coalesce(f.reason, d."#reason") AS reason, f.detail, f."row" FROM (
SELECT coalesce(o."#natural", '''') AS key,
    CASE WHEN o."#valid" IS NOT TRUE THEN ''no_mail''
         WHEN o."#ctid" <> (SELECT s."#ctid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1) THEN ''duplicate'' END AS reason,
    CASE WHEN o."#valid" THEN ''the first is '' || left((SELECT s."#row" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)::text, 1000) END AS detail,
    o."#row" AS "row"
FROM (SELECT s.*, changeover.fold(s.mail) AS "#natural", (changeover.valid_email(s.mail)) AS "#valid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE (changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL))
) s) o
) f
LEFT JOIN unnest($3, $4) AS d ("#key", "#reason") ON d."#key" = f.key AND d."#reason" <> ''gone''
WHERE f.reason IS NOT NULL OR d."#reason" IS NOT NULL',
        'park', jsonb_build_object(
            'same', ARRAY['mail']::text[],
            'columns', ARRAY['name', 'since']::text[],
            'rows', 'x1_new_rows',
            'which', 'NOT (coalesce(g."originals", ''{}'') ? ''~'') AND NOT (EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = ''reverse'' AND c.key = d."#key") OR EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = ''reverse'' AND c.patch ->> ''key'' = d."#key"))'),
        'columns', ARRAY['mail', 'name', 'since', 'originals']::text[],
        'compared', ARRAY['mail', 'name', 'since', 'originals']::text[],
        'casts', '{}'::jsonb,
        'target_key', 'mail',
        'key_type', 'text',
        'rows', 'x1_new_rows',
        'ahead', '(coalesce(g."originals", ''{}'') ? ''~'')',
        'lost', '(CASE WHEN d."originals" ? ''members'' THEN jsonb_build_object(''members'', (d."originals" -> ''members'') || changeover.lost(changeover.m10_image(r.said), changeover.m10_image(r.stands))) ELSE ''{}''::jsonb END || CASE WHEN d."originals" ? ''subscribers'' THEN jsonb_build_object(''subscribers'', (d."originals" -> ''subscribers'') || changeover.lost(changeover.m11_image(r.said), changeover.m11_image(r.stands))) ELSE ''{}''::jsonb END)',
        'document', 'coalesce(g."originals", ''{}'')',
        'originals', 'originals',
        'packs', ARRAY[]::text[],
        'returns', true,
        'place', '(SELECT s."#ctid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = $1 AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)',
        'dropped', '"originals" = jsonb_set(g."originals", ARRAY[''members''], (g."originals" -> ''members'') - ARRAY(SELECT jsonb_array_elements_text($2 -> ''drop'')))',
        'settable', ARRAY['mail', 'name']::text[],
        'shared', ARRAY['mail', 'name']::text[])
$changeover$;
SELECT changeover.keep_private('changeover.m10_fragments()'::pg_catalog.regprocedure);

-- function m10_batch
-- One batch of a merge: the natural keys on these pages, each derived from all its sources. A key that
-- another batch has brought already stays as it is; a placeholder made by a lookup becomes the real row. A key that
-- waits to be given up on the old side is not brought back to the new one.
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
    "#keys" text[];
    v_missing text[];
    v_bad text[] := '{}';
    v_reasons text[] := '{}';
    v_seen bigint;
    v_copied bigint := 0;
    v_rejected bigint := 0;
    v_row record;
BEGIN
    PERFORM set_config('changeover.origin', 'contacts:f', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1128419927, -1);
    SELECT count(*) INTO v_seen FROM "public"."members" x WHERE x.ctid >= "#from" AND x.ctid < "#to";
    "#keys" := ARRAY(
        SELECT k.key FROM (SELECT DISTINCT changeover.fold(s.mail) AS key FROM (SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."members" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) s WHERE changeover.valid_email(s.mail)) k WHERE NOT (EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = 'reverse' AND c.key = k.key) OR EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = 'reverse' AND c.patch ->> 'key' = k.key))
    );
    FOR v_pass IN 1..2 LOOP
        v_missing := '{}';
        FOR v_row IN
            SELECT d.* FROM (
SELECT r.* FROM changeover.x1_new_rows("#keys") r
            ) d
            ORDER BY d."#key"
        LOOP
            IF v_row."#reason" IS NOT NULL THEN
                v_bad := v_bad || v_row."#key";
                v_reasons := v_reasons || v_row."#reason";
            ELSIF v_row."#unresolved" AND v_pass = 1 THEN
                v_missing := v_missing || v_row."#key";
            ELSE
                INSERT INTO "public"."contacts" AS g ("mail", "name", "since", "originals") VALUES (v_row."mail", v_row."name", v_row."since", v_row."originals")
                ON CONFLICT ("mail") DO UPDATE SET "name" = v_row."name", "since" = v_row."since", "originals" = v_row."originals" WHERE g."originals" = '{}';
                v_copied := v_copied + CASE WHEN FOUND THEN 1 ELSE 0 END;
            END IF;
        END LOOP;
        EXIT WHEN v_missing = '{}';
        "#keys" := v_missing;
        NULL;
    END LOOP;
    WITH found AS (
SELECT f.key, coalesce(f.reason, d."#reason") AS reason, f.detail, f."row" FROM (
SELECT coalesce(o."#natural", '') AS key,
    CASE WHEN o."#valid" IS NOT TRUE THEN 'no_mail'
         WHEN o."#ctid" <> (SELECT s."#ctid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1) THEN 'duplicate' END AS reason,
    CASE WHEN o."#valid" THEN 'the first is ' || left((SELECT s."#row" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)::text, 1000) END AS detail,
    o."#row" AS "row"
FROM (SELECT s.*, changeover.fold(s.mail) AS "#natural", (changeover.valid_email(s.mail)) AS "#valid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."members" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))
) s) o
) f
LEFT JOIN unnest(v_bad, v_reasons) AS d ("#key", "#reason") ON d."#key" = f.key AND d."#reason" <> 'gone'
WHERE f.reason IS NOT NULL OR d."#reason" IS NOT NULL
    ),
    written AS (
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT 10, 'public.members', 'golden', f.key, f.reason, f.detail, f."row" FROM found f
        RETURNING key
    ),
    again AS (
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT 10, 'forward', f.key, 'batch:' || f.reason FROM found f
    )
    SELECT count(*) INTO v_rejected FROM written;
    PERFORM changeover.check_constraints(ARRAY['"public"."contacts"'::regclass]::oid[]);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, v_rejected;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_batch(bigint, bigint)'::pg_catalog.regprocedure);

-- function m10_compared
-- The comparison of the keys on these pages, value by value and in one snapshot, and of their rejects.
CREATE OR REPLACE FUNCTION changeover.m10_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    "#keys" text[];
BEGIN
    SELECT array_agg(DISTINCT coalesce(changeover.fold(s.mail), '')) INTO "#keys" FROM (SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."members" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) s;
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE WHEN g."mail" IS NULL THEN 'missing' WHEN c.columns <> '{}' THEN 'different' END AS kind,
            CASE WHEN g."mail" IS NOT NULL THEN c.columns END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
SELECT r.* FROM changeover.x1_new_rows("#keys") r
        ) d
        LEFT JOIN "public"."contacts" g ON g."mail" = d."mail"
        CROSS JOIN LATERAL (SELECT CASE WHEN (d."name", d."since", coalesce(d."originals", '{}')) IS DISTINCT FROM (g."name", g."since", coalesce(g."originals", '{}'))
            THEN (SELECT array_remove(ARRAY[CASE WHEN (d."name" IS DISTINCT FROM g."name" AND NOT changeover.known(b.ahead, 'name', d."name"::text)) THEN 'name' END, CASE WHEN (d."since" IS DISTINCT FROM g."since" AND NOT changeover.known(b.ahead, 'since', d."since"::text)) THEN 'since' END, CASE WHEN ((coalesce(d."originals", '{}')) IS DISTINCT FROM (coalesce(g."originals", '{}') - '~') AND NOT (coalesce(g."originals", '{}') ? '~')) THEN 'originals' END]::text[], NULL) FROM (SELECT coalesce(g."originals", '{}') -> '~' AS ahead OFFSET 0) b) END AS columns OFFSET 0) c
        WHERE d."#reason" IS NULL
    ) q
    WHERE q.kind IS NOT NULL AND NOT EXISTS (SELECT FROM changeover.reject e WHERE e.key = q.key AND e.source_id IN (10, 11) AND e.reason <> ALL (ARRAY['gone', 'duplicate', 'number_too_large', 'text_too_long', 'no_mail']::text[]));

    RETURN QUERY
    WITH wanted AS (
        SELECT f.key, f.reason, f."row", row_number() OVER (PARTITION BY f.key, f.reason, f."row") AS nth
        FROM (
SELECT f.key, coalesce(f.reason, d."#reason") AS reason, f.detail, f."row" FROM (
SELECT coalesce(o."#natural", '') AS key,
    CASE WHEN o."#valid" IS NOT TRUE THEN 'no_mail'
         WHEN o."#ctid" <> (SELECT s."#ctid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1) THEN 'duplicate' END AS reason,
    CASE WHEN o."#valid" THEN 'the first is ' || left((SELECT s."#row" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)::text, 1000) END AS detail,
    o."#row" AS "row"
FROM (SELECT s.*, changeover.fold(s.mail) AS "#natural", (changeover.valid_email(s.mail)) AS "#valid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE (changeover.fold(x."mail") = ANY ("#keys") OR ('' = ANY ("#keys") AND changeover.fold(x."mail") IS NULL))
) s) o
) f
LEFT JOIN (
SELECT r.* FROM changeover.x1_new_rows("#keys") r
) d ON d."#key" = f.key AND d."#reason" <> 'gone'
WHERE f.reason IS NOT NULL OR d."#reason" IS NOT NULL
        ) f
    ),
    standing AS (
        SELECT r.key, r.reason, r."row", row_number() OVER (PARTITION BY r.key, r.reason, r."row" ORDER BY r.id) AS nth
        FROM changeover.reject r
        WHERE r.source_id = 10 AND r.id > 0
          AND (r.key = ANY ("#keys")
               OR ("#first" AND NOT EXISTS (SELECT FROM (SELECT coalesce(changeover.fold(x."mail"), '') AS key FROM "public"."members" x) k WHERE k.key = r.key)))
    )
    SELECT q.key, q.kind, NULL::text[], q.expected, q.actual
    FROM (
        SELECT w.key, 'unrejected'::text AS kind, w."row" AS expected, NULL::jsonb AS actual
        FROM wanted w
        WHERE NOT EXISTS (SELECT FROM standing s
                          WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))
        UNION ALL
        SELECT s.key, 'stale_reject'::text, NULL::jsonb, s."row"
        FROM standing s
        WHERE NOT EXISTS (SELECT FROM wanted w
                          WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))
    ) q
    WHERE NOT EXISTS (SELECT FROM changeover.reject e WHERE e.key = q.key AND e.source_id IN (10, 11) AND e.reason <> ALL (ARRAY['gone', 'duplicate', 'number_too_large', 'text_too_long', 'no_mail']::text[]));
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_compared(tid, tid, boolean)'::pg_catalog.regprocedure);

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
    PERFORM changeover.x1_apply("#keys", 10);
    IF changeover.deferrable(ARRAY['"public"."contacts"'::regclass]::oid[]) THEN
        v_done := changeover.check_constraints(ARRAY['"public"."contacts"'::regclass]::oid[]);
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
            v_keys := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM new_rows x
    WHERE true) s);
        ELSIF TG_OP = 'DELETE' THEN
            v_keys := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM old_rows x
    WHERE true) s);
        ELSE
            v_keys := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM new_rows x
    WHERE true) s);
            v_before := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM old_rows x
    WHERE true) s);
            IF v_before <> v_keys THEN
                v_keys := ARRAY(SELECT unnest(v_keys) UNION SELECT unnest(v_before));
            END IF;
        END IF;
        v_done := changeover.m10_forward(TG_OP, v_keys, coalesce(has_column_privilege(TG_RELID, 3::smallint, 'SELECT'), has_column_privilege(TG_RELID, 4::smallint, 'SELECT'), has_column_privilege(TG_RELID, 5::smallint, 'SELECT')) IS NOT NULL);
    EXCEPTION WHEN OTHERS THEN
        v_done := changeover.leave(10, coalesce(v_keys, ARRAY[NULL]::text[]), SQLSTATE);
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_mirror()'::pg_catalog.regprocedure);

-- function m10_put
-- Reverse mirror: the source row that this target row stands for. On an update only the columns that the
-- new side changed are written, so that a concurrent write of the old side to another column stays.
-- True when the target must be derived again afterwards: a trigger of the application changed what was written,
-- the row has settled a reject, or (without a unique key) another row is the first of its key now.
-- Both rows are computed once, into a and b: the statements that write and compare them have small plans.
CREATE OR REPLACE FUNCTION changeover.m10_put("#old" "public"."contacts", "#new" "public"."contacts", p_whole boolean)
RETURNS boolean
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
    v_set text := set_config('changeover.origin', 'm10:r', true);
    v_key text := coalesce(("#old")."mail", ("#new")."mail");
    v_new_key text := ("#new")."mail";
    v_row tid;
    v_written tid[] := '{}';
    v_found boolean;
    v_changed boolean;
    v_said "public"."contacts";
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
    PERFORM FROM "public"."members" x WHERE (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL)) FOR NO KEY UPDATE;
    v_row := (SELECT s."#ctid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1);
    v_found := v_row IS NOT NULL;
    
    IF v_found THEN
        IF v_changed THEN
            UPDATE "public"."members" x SET "mail" = CASE WHEN p_whole OR ((a."#1") COLLATE "C" IS DISTINCT FROM (b."#1") COLLATE "C") THEN b."#1" ELSE x."mail" END, "name" = CASE WHEN p_whole OR ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN b."#2" ELSE x."name" END WHERE x.ctid = v_row RETURNING x.ctid INTO v_row;
            -- Another row of the key may speak for it now: because this one says something else, or stands behind it. What the
        -- new side has said of the key holds all the same, so that row says it too. One that must not is left as it is.
        IF NOT p_whole AND v_row IS NOT NULL AND EXISTS (SELECT FROM "public"."members" x WHERE x.ctid <> v_row AND (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL))) THEN
            BEGIN
                WHILE v_row <> ALL (v_written) AND EXISTS (SELECT FROM "public"."members" x WHERE x.ctid = v_row AND (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL))) LOOP
                    v_written := v_written || v_row;
                    PERFORM FROM "public"."members" x WHERE (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL)) FOR NO KEY UPDATE;
    v_row := (SELECT s."#ctid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1);
    v_found := v_row IS NOT NULL;
                    IF v_row <> ALL (v_written) THEN
                        UPDATE "public"."members" x SET "mail" = CASE WHEN ((a."#1") COLLATE "C" IS DISTINCT FROM (b."#1") COLLATE "C") THEN b."#1" ELSE x."mail" END, "name" = CASE WHEN ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN b."#2" ELSE x."name" END FROM (SELECT (t.mail)::text AS "#1",
    (t.name)::text AS "#2" FROM (SELECT ("#old").*) t) a, (SELECT (t.mail)::text AS "#1",
    (t.name)::text AS "#2" FROM (SELECT ("#new").*) t) b
                        WHERE x.ctid = v_row AND (((a."#1") COLLATE "C" IS DISTINCT FROM (b."#1") COLLATE "C") OR ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C")) RETURNING x.ctid INTO v_row;
                    END IF;
                END LOOP;
            EXCEPTION WHEN integrity_constraint_violation OR data_exception OR feature_not_supported OR raise_exception THEN
                v_row := NULL;
            END;
        END IF;

        END IF;
    ELSIF p_whole THEN
        -- First: what is split from the row finds its parent by it, in the mirror that this INSERT sets off.
        
        INSERT INTO "public"."members" ("mail", "name") OVERRIDING SYSTEM VALUE VALUES (b."#1", b."#2");
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
    IF changeover.deferrable(ARRAY['"public"."members"'::regclass]::oid[]) THEN
        PERFORM changeover.check_constraints(ARRAY['"public"."members"'::regclass]::oid[]);
    END IF;
    v_set := set_config('changeover.putting', v_putting, true);
    v_set := set_config('changeover.origin', v_origin, true);
    IF NOT (v_found OR p_whole) THEN
        RETURN false;
    END IF;
    SELECT r."#1"::text AS "#1", r."#2"::text AS "#2" INTO a FROM (
SELECT s.* FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_new_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1
    ) r;
    RETURN NOT FOUND OR a OPERATOR(pg_catalog.*<>) b
        OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 10 AND r.key = v_new_key);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_put("public"."contacts", "public"."contacts", boolean)'::pg_catalog.regprocedure);

-- function m10_image
-- The old row as text, column by column: by this a deletion that waited finds the row that was meant.
CREATE OR REPLACE FUNCTION changeover.m10_image("#old" "public"."contacts")
RETURNS jsonb
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
BEGIN
    RETURN (SELECT '{}'::jsonb 
        || jsonb_build_object('mail', a."#1"::text)
        || jsonb_build_object('name', a."#2"::text) FROM changeover.m10_old_row("#old") a);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_image("public"."contacts")'::pg_catalog.regprocedure);

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
    PERFORM FROM "public"."members" x WHERE (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL)) FOR NO KEY UPDATE;
    v_row := (SELECT s."#ctid" FROM (
    SELECT x."mail" AS "#1",
        x."name" AS "#2",
        x."mail" AS "mail",
        x."name" AS "name",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."members" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."members" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1);
    v_found := v_row IS NOT NULL;
    IF v_found THEN
        DELETE FROM "public"."members" x USING (SELECT p_key AS key) k WHERE x.ctid = v_row AND (coalesce(jsonb_typeof(p_image), 'null') = 'null' OR (x."mail"::text IS NOT DISTINCT FROM (p_image ->> 'mail') AND x."name"::text IS NOT DISTINCT FROM (p_image ->> 'name')));
    END IF;
    INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (10, 'forward', p_key, 'erased');
    -- A batch that has not committed may have read this row, and bring it back into the target.
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT z.id, 'forward', p_key, 'gone' FROM changeover.source z
    WHERE z.id = 10 AND z.state NOT IN ('copied', 'archived');
    PERFORM changeover.check_constraints(ARRAY['"public"."members"'::regclass]::oid[]);
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m10_erase(text, jsonb)'::pg_catalog.regprocedure);

-- function m11_fragments
-- What the fixed functions must know of this source: pieces of SQL over x, the old table, and g, the new one.
CREATE OR REPLACE FUNCTION changeover.m11_fragments()
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT jsonb_build_object(
        'path', 'pg_catalog, "public", "changeover", pg_temp',
        'source', '"public"."subscribers"',
        'target', '"public"."contacts"',
        'written', ARRAY['"public"."contacts"']::text[],
        'key', 'coalesce(changeover.fold(x."mail"), '''')',
        'row', 'to_jsonb(x.*)',
        'of_keys', '(changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL))',
        'lock', ARRAY['SELECT FROM "public"."members" x WHERE (changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL)) ORDER BY x.ctid FOR NO KEY UPDATE', 'SELECT FROM "public"."subscribers" x WHERE (changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL)) ORDER BY x.ctid FOR NO KEY UPDATE']::text[],
        'own', 'g."originals" ? ''subscribers''',
        'meant', 'g."mail" = $1',
        'remove', 'DELETE FROM "public"."contacts" g WHERE g."mail" = ANY ($1) AND g."originals" <> ''{}''',
        'remove_all', 'SELECT changeover.x1_apply(ARRAY(SELECT t."mail" AS key FROM "public"."contacts" t WHERE t."originals" ? ''subscribers'' UNION SELECT r.key FROM changeover.reject r WHERE r.source_id = 11 AND r.id > 0), 11)',
        'apply', 'x1_apply',
        'left_over', 'SELECT t."mail" AS key FROM "public"."contacts" t WHERE t."originals" ? ''subscribers''',
        'rejected', 'SELECT f.key, coalesce(f.reason, d."#reason") AS reason, f.detail, f."row" FROM (
SELECT coalesce(o."#natural", '''') AS key,
    CASE WHEN o."#valid" IS NOT TRUE THEN ''no_mail''
         WHEN o."#ctid" <> (SELECT s."#ctid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1) THEN ''duplicate'' END AS reason,
    CASE WHEN o."#valid" THEN ''the first is '' || left((SELECT s."#row" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)::text, 1000) END AS detail,
    o."#row" AS "row"
FROM (SELECT s.*, changeover.fold(s.mail) AS "#natural", (changeover.valid_email(s.mail)) AS "#valid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE (changeover.fold(x."mail") = ANY ($1) OR ('''' = ANY ($1) AND changeover.fold(x."mail") IS NULL))
) s) o
) f
LEFT JOIN unnest($3, $4) AS d ("#key", "#reason") ON d."#key" = f.key AND d."#reason" <> ''gone''
WHERE f.reason IS NOT NULL OR d."#reason" IS NOT NULL',
        'park', jsonb_build_object(
            'same', ARRAY['mail']::text[],
            'columns', ARRAY['name', 'since']::text[],
            'rows', 'x1_new_rows',
            'which', 'NOT (coalesce(g."originals", ''{}'') ? ''~'') AND NOT (EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = ''reverse'' AND c.key = d."#key") OR EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = ''reverse'' AND c.patch ->> ''key'' = d."#key"))'),
        'columns', ARRAY['mail', 'name', 'since', 'originals']::text[],
        'compared', ARRAY['mail', 'name', 'since', 'originals']::text[],
        'casts', '{}'::jsonb,
        'target_key', 'mail',
        'key_type', 'text',
        'rows', 'x1_new_rows',
        'ahead', '(coalesce(g."originals", ''{}'') ? ''~'')',
        'lost', '(CASE WHEN d."originals" ? ''members'' THEN jsonb_build_object(''members'', (d."originals" -> ''members'') || changeover.lost(changeover.m10_image(r.said), changeover.m10_image(r.stands))) ELSE ''{}''::jsonb END || CASE WHEN d."originals" ? ''subscribers'' THEN jsonb_build_object(''subscribers'', (d."originals" -> ''subscribers'') || changeover.lost(changeover.m11_image(r.said), changeover.m11_image(r.stands))) ELSE ''{}''::jsonb END)',
        'document', 'coalesce(g."originals", ''{}'')',
        'originals', 'originals',
        'packs', ARRAY[]::text[],
        'returns', true,
        'place', '(SELECT s."#ctid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = $1 AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)',
        'dropped', '"originals" = jsonb_set(g."originals", ARRAY[''subscribers''], (g."originals" -> ''subscribers'') - ARRAY(SELECT jsonb_array_elements_text($2 -> ''drop'')))',
        'settable', ARRAY['id', 'mail', 'since']::text[],
        'shared', ARRAY['mail', 'since']::text[])
$changeover$;
SELECT changeover.keep_private('changeover.m11_fragments()'::pg_catalog.regprocedure);

-- function m11_batch
-- One batch of a merge: the natural keys on these pages, each derived from all its sources. A key that
-- another batch has brought already stays as it is; a placeholder made by a lookup becomes the real row. A key that
-- waits to be given up on the old side is not brought back to the new one.
CREATE OR REPLACE FUNCTION changeover.m11_batch(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    "#keys" text[];
    v_missing text[];
    v_bad text[] := '{}';
    v_reasons text[] := '{}';
    v_seen bigint;
    v_copied bigint := 0;
    v_rejected bigint := 0;
    v_row record;
BEGIN
    PERFORM set_config('changeover.origin', 'contacts:f', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1128419927, -1);
    SELECT count(*) INTO v_seen FROM "public"."subscribers" x WHERE x.ctid >= "#from" AND x.ctid < "#to";
    "#keys" := ARRAY(
        SELECT k.key FROM (SELECT DISTINCT changeover.fold(s.mail) AS key FROM (SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."subscribers" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) s WHERE changeover.valid_email(s.mail)) k WHERE NOT (EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = 'reverse' AND c.key = k.key) OR EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN (10, 11) AND c.direction = 'reverse' AND c.patch ->> 'key' = k.key))
    );
    FOR v_pass IN 1..2 LOOP
        v_missing := '{}';
        FOR v_row IN
            SELECT d.* FROM (
SELECT r.* FROM changeover.x1_new_rows("#keys") r
            ) d
            ORDER BY d."#key"
        LOOP
            IF v_row."#reason" IS NOT NULL THEN
                v_bad := v_bad || v_row."#key";
                v_reasons := v_reasons || v_row."#reason";
            ELSIF v_row."#unresolved" AND v_pass = 1 THEN
                v_missing := v_missing || v_row."#key";
            ELSE
                INSERT INTO "public"."contacts" AS g ("mail", "name", "since", "originals") VALUES (v_row."mail", v_row."name", v_row."since", v_row."originals")
                ON CONFLICT ("mail") DO UPDATE SET "name" = v_row."name", "since" = v_row."since", "originals" = v_row."originals" WHERE g."originals" = '{}';
                v_copied := v_copied + CASE WHEN FOUND THEN 1 ELSE 0 END;
            END IF;
        END LOOP;
        EXIT WHEN v_missing = '{}';
        "#keys" := v_missing;
        NULL;
    END LOOP;
    WITH found AS (
SELECT f.key, coalesce(f.reason, d."#reason") AS reason, f.detail, f."row" FROM (
SELECT coalesce(o."#natural", '') AS key,
    CASE WHEN o."#valid" IS NOT TRUE THEN 'no_mail'
         WHEN o."#ctid" <> (SELECT s."#ctid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1) THEN 'duplicate' END AS reason,
    CASE WHEN o."#valid" THEN 'the first is ' || left((SELECT s."#row" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)::text, 1000) END AS detail,
    o."#row" AS "row"
FROM (SELECT s.*, changeover.fold(s.mail) AS "#natural", (changeover.valid_email(s.mail)) AS "#valid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."subscribers" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))
) s) o
) f
LEFT JOIN unnest(v_bad, v_reasons) AS d ("#key", "#reason") ON d."#key" = f.key AND d."#reason" <> 'gone'
WHERE f.reason IS NOT NULL OR d."#reason" IS NOT NULL
    ),
    written AS (
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT 11, 'public.subscribers', 'golden', f.key, f.reason, f.detail, f."row" FROM found f
        RETURNING key
    ),
    again AS (
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT 11, 'forward', f.key, 'batch:' || f.reason FROM found f
    )
    SELECT count(*) INTO v_rejected FROM written;
    PERFORM changeover.check_constraints(ARRAY['"public"."contacts"'::regclass]::oid[]);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, v_rejected;
END
$changeover$;
SELECT changeover.keep_private('changeover.m11_batch(bigint, bigint)'::pg_catalog.regprocedure);

-- function m11_compared
-- The comparison of the keys on these pages, value by value and in one snapshot, and of their rejects.
CREATE OR REPLACE FUNCTION changeover.m11_compared("#from" tid, "#to" tid, "#first" boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    "#keys" text[];
BEGIN
    SELECT array_agg(DISTINCT coalesce(changeover.fold(s.mail), '')) INTO "#keys" FROM (SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE x.ctid = ANY (ARRAY(SELECT p.ctid FROM "public"."subscribers" p WHERE p.ctid >= "#from" AND p.ctid < "#to"))) s;
    RETURN QUERY
    SELECT q.key, q.kind, q.columns,
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.wanted) e WHERE e.key = ANY (q.columns)),
        (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(q.standing) e WHERE e.key = ANY (q.columns))
    FROM (
        SELECT d."#key" AS key,
            CASE WHEN g."mail" IS NULL THEN 'missing' WHEN c.columns <> '{}' THEN 'different' END AS kind,
            CASE WHEN g."mail" IS NOT NULL THEN c.columns END AS columns,
            to_jsonb(d.*) AS wanted,
            to_jsonb(g.*) AS standing
        FROM (
SELECT r.* FROM changeover.x1_new_rows("#keys") r
        ) d
        LEFT JOIN "public"."contacts" g ON g."mail" = d."mail"
        CROSS JOIN LATERAL (SELECT CASE WHEN (d."name", d."since", coalesce(d."originals", '{}')) IS DISTINCT FROM (g."name", g."since", coalesce(g."originals", '{}'))
            THEN (SELECT array_remove(ARRAY[CASE WHEN (d."name" IS DISTINCT FROM g."name" AND NOT changeover.known(b.ahead, 'name', d."name"::text)) THEN 'name' END, CASE WHEN (d."since" IS DISTINCT FROM g."since" AND NOT changeover.known(b.ahead, 'since', d."since"::text)) THEN 'since' END, CASE WHEN ((coalesce(d."originals", '{}')) IS DISTINCT FROM (coalesce(g."originals", '{}') - '~') AND NOT (coalesce(g."originals", '{}') ? '~')) THEN 'originals' END]::text[], NULL) FROM (SELECT coalesce(g."originals", '{}') -> '~' AS ahead OFFSET 0) b) END AS columns OFFSET 0) c
        WHERE d."#reason" IS NULL
    ) q
    WHERE q.kind IS NOT NULL AND NOT EXISTS (SELECT FROM changeover.reject e WHERE e.key = q.key AND e.source_id IN (10, 11) AND e.reason <> ALL (ARRAY['gone', 'duplicate', 'number_too_large', 'text_too_long', 'no_mail']::text[]));

    RETURN QUERY
    WITH wanted AS (
        SELECT f.key, f.reason, f."row", row_number() OVER (PARTITION BY f.key, f.reason, f."row") AS nth
        FROM (
SELECT f.key, coalesce(f.reason, d."#reason") AS reason, f.detail, f."row" FROM (
SELECT coalesce(o."#natural", '') AS key,
    CASE WHEN o."#valid" IS NOT TRUE THEN 'no_mail'
         WHEN o."#ctid" <> (SELECT s."#ctid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1) THEN 'duplicate' END AS reason,
    CASE WHEN o."#valid" THEN 'the first is ' || left((SELECT s."#row" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = o."#natural" AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1)::text, 1000) END AS detail,
    o."#row" AS "row"
FROM (SELECT s.*, changeover.fold(s.mail) AS "#natural", (changeover.valid_email(s.mail)) AS "#valid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE (changeover.fold(x."mail") = ANY ("#keys") OR ('' = ANY ("#keys") AND changeover.fold(x."mail") IS NULL))
) s) o
) f
LEFT JOIN (
SELECT r.* FROM changeover.x1_new_rows("#keys") r
) d ON d."#key" = f.key AND d."#reason" <> 'gone'
WHERE f.reason IS NOT NULL OR d."#reason" IS NOT NULL
        ) f
    ),
    standing AS (
        SELECT r.key, r.reason, r."row", row_number() OVER (PARTITION BY r.key, r.reason, r."row" ORDER BY r.id) AS nth
        FROM changeover.reject r
        WHERE r.source_id = 11 AND r.id > 0
          AND (r.key = ANY ("#keys")
               OR ("#first" AND NOT EXISTS (SELECT FROM (SELECT coalesce(changeover.fold(x."mail"), '') AS key FROM "public"."subscribers" x) k WHERE k.key = r.key)))
    )
    SELECT q.key, q.kind, NULL::text[], q.expected, q.actual
    FROM (
        SELECT w.key, 'unrejected'::text AS kind, w."row" AS expected, NULL::jsonb AS actual
        FROM wanted w
        WHERE NOT EXISTS (SELECT FROM standing s
                          WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))
        UNION ALL
        SELECT s.key, 'stale_reject'::text, NULL::jsonb, s."row"
        FROM standing s
        WHERE NOT EXISTS (SELECT FROM wanted w
                          WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))
    ) q
    WHERE NOT EXISTS (SELECT FROM changeover.reject e WHERE e.key = q.key AND e.source_id IN (10, 11) AND e.reason <> ALL (ARRAY['gone', 'duplicate', 'number_too_large', 'text_too_long', 'no_mail']::text[]));
END
$changeover$;
SELECT changeover.keep_private('changeover.m11_compared(tid, tid, boolean)'::pg_catalog.regprocedure);

-- function m11_forward
-- What the mirror does with the keys of a statement, within its settings.
CREATE OR REPLACE FUNCTION changeover.m11_forward(p_op text, "#keys" text[], p_new_column boolean)
RETURNS boolean
LANGUAGE plpgsql
AS $changeover$
DECLARE
    v_done boolean;
BEGIN
    IF "#keys" = '{}' OR changeover.left_alone(11, 'm11:r', "#keys") THEN
        RETURN true;
    END IF;
    PERFORM changeover.x1_apply("#keys", 11);
    IF changeover.deferrable(ARRAY['"public"."contacts"'::regclass]::oid[]) THEN
        v_done := changeover.check_constraints(ARRAY['"public"."contacts"'::regclass]::oid[]);
    END IF;
    v_done := changeover.brought_back(11, "#keys");
    RETURN changeover.looked_at_again(11, "#keys", p_new_column);
END
$changeover$;
SELECT changeover.keep_private('changeover.m11_forward(text, text[], boolean)'::pg_catalog.regprocedure);

-- function m11_mirror
-- The forward mirror, once per statement. It collects the keys that the statement touched; _forward derives them from the
-- table as it is now (a trigger of the application may have changed the rows again). It never raises: what hinders it (a
-- snapshot that cannot see a newer row, a lock, a value, a column that is gone) leaves the keys in queue, or the whole source
-- where not even the keys can be told (docs/concurrency.md, C1, C18). It is kept short, because a session compiles it once for each of its triggers.
CREATE OR REPLACE FUNCTION changeover.m11_mirror()
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
            v_keys := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM new_rows x
    WHERE true) s);
        ELSIF TG_OP = 'DELETE' THEN
            v_keys := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM old_rows x
    WHERE true) s);
        ELSE
            v_keys := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM new_rows x
    WHERE true) s);
            v_before := ARRAY(SELECT coalesce(changeover.fold(s.mail), '') AS key FROM (SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        NULL::jsonb AS "#row",
        NULL::tid AS "#ctid"
    FROM old_rows x
    WHERE true) s);
            IF v_before <> v_keys THEN
                v_keys := ARRAY(SELECT unnest(v_keys) UNION SELECT unnest(v_before));
            END IF;
        END IF;
        v_done := changeover.m11_forward(TG_OP, v_keys, coalesce(has_column_privilege(TG_RELID, 4::smallint, 'SELECT'), has_column_privilege(TG_RELID, 5::smallint, 'SELECT'), has_column_privilege(TG_RELID, 6::smallint, 'SELECT')) IS NOT NULL);
    EXCEPTION WHEN OTHERS THEN
        v_done := changeover.leave(11, coalesce(v_keys, ARRAY[NULL]::text[]), SQLSTATE);
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$;
SELECT changeover.keep_private('changeover.m11_mirror()'::pg_catalog.regprocedure);

-- function m11_put
-- Reverse mirror: the source row that this target row stands for. On an update only the columns that the
-- new side changed are written, so that a concurrent write of the old side to another column stays.
-- True when the target must be derived again afterwards: a trigger of the application changed what was written,
-- the row has settled a reject, or (without a unique key) another row is the first of its key now.
-- Both rows are computed once, into a and b: the statements that write and compare them have small plans.
CREATE OR REPLACE FUNCTION changeover.m11_put("#old" "public"."contacts", "#new" "public"."contacts", p_whole boolean)
RETURNS boolean
LANGUAGE plpgsql
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
    v_set text := set_config('changeover.origin', 'm11:r', true);
    v_key text := coalesce(("#old")."mail", ("#new")."mail");
    v_new_key text := ("#new")."mail";
    v_row tid;
    v_written tid[] := '{}';
    v_found boolean;
    v_changed boolean;
    v_said "public"."contacts";
    a record;
    b record;
BEGIN
    v_set := set_config('changeover.putting', array_remove(ARRAY[v_key, v_new_key], NULL)::text, true);
    FOR v_nth IN CASE WHEN p_whole THEN 2 ELSE 1 END .. 2 LOOP  -- a of the old row, b of the new one, by one statement: its plan is large
        v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
        SELECT r.* INTO b FROM changeover.m11_old_row(v_said) r;
        IF v_nth = 1 OR p_whole THEN
            a := b;
        END IF;
    END LOOP;
    v_changed := p_whole OR a OPERATOR(pg_catalog.*<>) b;
    PERFORM FROM "public"."subscribers" x WHERE (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL)) FOR NO KEY UPDATE;
    v_row := (SELECT s."#ctid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1);
    v_found := v_row IS NOT NULL;
    
    IF v_found THEN
        IF v_changed THEN
            UPDATE "public"."subscribers" x SET "id" = CASE WHEN p_whole OR ((a."#1") IS DISTINCT FROM (b."#1")) THEN b."#1" ELSE x."id" END, "mail" = CASE WHEN p_whole OR ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN b."#2" ELSE x."mail" END, "since" = CASE WHEN p_whole OR ((a."#3") IS DISTINCT FROM (b."#3")) THEN b."#3" ELSE x."since" END WHERE x.ctid = v_row RETURNING x.ctid INTO v_row;
            -- Another row of the key may speak for it now: because this one says something else, or stands behind it. What the
        -- new side has said of the key holds all the same, so that row says it too. One that must not is left as it is.
        IF NOT p_whole AND v_row IS NOT NULL AND EXISTS (SELECT FROM "public"."subscribers" x WHERE x.ctid <> v_row AND (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL))) THEN
            BEGIN
                WHILE v_row <> ALL (v_written) AND EXISTS (SELECT FROM "public"."subscribers" x WHERE x.ctid = v_row AND (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL))) LOOP
                    v_written := v_written || v_row;
                    PERFORM FROM "public"."subscribers" x WHERE (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL)) FOR NO KEY UPDATE;
    v_row := (SELECT s."#ctid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1);
    v_found := v_row IS NOT NULL;
                    IF v_row <> ALL (v_written) THEN
                        UPDATE "public"."subscribers" x SET "mail" = CASE WHEN ((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") THEN b."#2" ELSE x."mail" END, "since" = CASE WHEN ((a."#3") IS DISTINCT FROM (b."#3")) THEN b."#3" ELSE x."since" END FROM (SELECT (t.mail)::text AS "#2",
    (t.since)::date AS "#3" FROM (SELECT ("#old").*) t) a, (SELECT (t.mail)::text AS "#2",
    (t.since)::date AS "#3" FROM (SELECT ("#new").*) t) b
                        WHERE x.ctid = v_row AND (((a."#2") COLLATE "C" IS DISTINCT FROM (b."#2") COLLATE "C") OR ((a."#3") IS DISTINCT FROM (b."#3"))) RETURNING x.ctid INTO v_row;
                    END IF;
                END LOOP;
            EXCEPTION WHEN integrity_constraint_violation OR data_exception OR feature_not_supported OR raise_exception THEN
                v_row := NULL;
            END;
        END IF;

        END IF;
    ELSIF p_whole THEN
        -- First: what is split from the row finds its parent by it, in the mirror that this INSERT sets off.
        
        INSERT INTO "public"."subscribers" ("id", "mail", "since") OVERRIDING SYSTEM VALUE VALUES (b."#1", b."#2", b."#3");
        -- The mirror of this table may not be there yet: what its application does to the row must not be missed.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT z.id, 'forward', v_new_key, 'unmirrored' FROM changeover.source z WHERE z.id = 11 AND z.state = 'found';
    ELSE
        -- The old side has deleted it, and what its mirror could not do at once is waiting.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT 11, 'forward', k.key, 'absent' FROM unnest(ARRAY[v_key, v_new_key]) AS k (key);
    END IF;
    IF v_found AND NOT p_whole
        AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = ANY (ARRAY[v_key]) AND c.source_id = 11 AND c.patch ? 'set')
    THEN
        -- An earlier write of these columns still waits. This one is newer: the other must not find its old value
        -- here again and take it for untouched.
        UPDATE changeover.queue c
        SET patch = jsonb_set(c.patch, '{set}', (c.patch -> 'set') - ARRAY(
            SELECT jsonb_object_keys(changeover.patch_of(11, "#old", "#new"))))
        WHERE c.key = ANY (ARRAY[v_key]) AND c.source_id = 11 AND c.direction = 'reverse' AND c.patch ? 'set';
    END IF;
    IF p_whole AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = v_key AND c.source_id = 11) THEN
        DELETE FROM changeover.queue c
        WHERE c.key = v_key AND c.source_id = 11 AND c.direction = 'reverse' AND c.patch ? 'erase';
    END IF;
    IF changeover.deferrable(ARRAY['"public"."subscribers"'::regclass]::oid[]) THEN
        PERFORM changeover.check_constraints(ARRAY['"public"."subscribers"'::regclass]::oid[]);
    END IF;
    v_set := set_config('changeover.putting', v_putting, true);
    v_set := set_config('changeover.origin', v_origin, true);
    IF NOT (v_found OR p_whole) THEN
        RETURN false;
    END IF;
    SELECT r."#1"::integer AS "#1", r."#2"::text AS "#2", r."#3"::date AS "#3" INTO a FROM (
SELECT s.* FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_new_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1
    ) r;
    RETURN NOT FOUND OR a OPERATOR(pg_catalog.*<>) b
        OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = 11 AND r.key = v_new_key);
END
$changeover$;
SELECT changeover.keep_private('changeover.m11_put("public"."contacts", "public"."contacts", boolean)'::pg_catalog.regprocedure);

-- function m11_image
-- The old row as text, column by column: by this a deletion that waited finds the row that was meant.
CREATE OR REPLACE FUNCTION changeover.m11_image("#old" "public"."contacts")
RETURNS jsonb
LANGUAGE plpgsql
STABLE
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS $changeover$
BEGIN
    RETURN (SELECT '{}'::jsonb 
        || jsonb_build_object('id', a."#1"::text)
        || jsonb_build_object('mail', a."#2"::text)
        || jsonb_build_object('since', a."#3"::text) FROM changeover.m11_old_row("#old") a);
END
$changeover$;
SELECT changeover.keep_private('changeover.m11_image("public"."contacts")'::pg_catalog.regprocedure);

-- function m11_erase
-- Reverse mirror of a deletion. Where a key can have several rows, it is the first that stood in the target; the
-- next one takes its place there. With p_image (a deletion that waited) only the row that was meant is deleted.
CREATE OR REPLACE FUNCTION changeover.m11_erase(p_key text, p_image jsonb)
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
    PERFORM set_config('changeover.origin', 'm11:r', true);
    PERFORM set_config('changeover.putting', ARRAY[p_key]::text, true);
    PERFORM FROM "public"."subscribers" x WHERE (changeover.fold(x."mail") = ANY (ARRAY[v_key]) OR ('' = ANY (ARRAY[v_key]) AND changeover.fold(x."mail") IS NULL)) FOR NO KEY UPDATE;
    v_row := (SELECT s."#ctid" FROM (
    SELECT x."id" AS "#1",
        x."mail" AS "#2",
        x."since" AS "#3",
        x."mail" AS "mail",
        x."since" AS "since",
        true AS "#present",
        (SELECT to_jsonb(y.*) FROM "public"."subscribers" y WHERE y.ctid = x.ctid) AS "#row",
        x.ctid AS "#ctid"
    FROM "public"."subscribers" x
    WHERE true
    ) s
    WHERE changeover.fold(s.mail) = v_key AND (changeover.valid_email(s.mail))
    ORDER BY s.mail, s."#ctid"
    LIMIT 1);
    v_found := v_row IS NOT NULL;
    IF v_found THEN
        DELETE FROM "public"."subscribers" x USING (SELECT p_key AS key) k WHERE x.ctid = v_row AND (coalesce(jsonb_typeof(p_image), 'null') = 'null' OR (x."id"::text IS NOT DISTINCT FROM (p_image ->> 'id')));
    END IF;
    INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (11, 'forward', p_key, 'erased');
    -- A batch that has not committed may have read this row, and bring it back into the target.
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT z.id, 'forward', p_key, 'gone' FROM changeover.source z
    WHERE z.id = 11 AND z.state NOT IN ('copied', 'archived');
    PERFORM changeover.check_constraints(ARRAY['"public"."subscribers"'::regclass]::oid[]);
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$;
SELECT changeover.keep_private('changeover.m11_erase(text, jsonb)'::pg_catalog.regprocedure);

-- trigger changeover_x1_reverse on "public"."contacts"
CREATE OR REPLACE TRIGGER "changeover_x1_before" BEFORE INSERT OR UPDATE ON "public"."contacts" FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '') EXECUTE FUNCTION changeover.x1_before();
CREATE OR REPLACE TRIGGER "changeover_x1_reverse" AFTER INSERT OR UPDATE OR DELETE ON "public"."contacts" FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '') EXECUTE FUNCTION changeover.x1_reverse();
CREATE OR REPLACE TRIGGER "changeover_x1_trunc" AFTER TRUNCATE ON "public"."contacts" FOR EACH STATEMENT EXECUTE FUNCTION changeover.emptied('x1');
CREATE OR REPLACE TRIGGER "changeover_x1_taken" AFTER UPDATE OR DELETE ON "public"."contacts" FOR EACH ROW WHEN (CASE coalesce(current_setting('changeover.origin', true), '') WHEN '' THEN false WHEN 'contacts:f' THEN pg_trigger_depth() > CASE WHEN coalesce(current_setting('changeover.draining', true), '') = '' THEN 1 ELSE 0 END ELSE true END) EXECUTE FUNCTION changeover.taken('x1', 'mail');

-- trigger changeover_a000010_ins on "public"."members"
CREATE OR REPLACE TRIGGER "changeover_a000010_ins" AFTER INSERT ON "public"."members" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_a000010_upd on "public"."members"
CREATE OR REPLACE TRIGGER "changeover_a000010_upd" AFTER UPDATE ON "public"."members" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_a000010_del on "public"."members"
CREATE OR REPLACE TRIGGER "changeover_a000010_del" AFTER DELETE ON "public"."members" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m10_mirror();

-- trigger changeover_a000010_trunc on "public"."members"
CREATE OR REPLACE TRIGGER "changeover_a000010_trunc" AFTER TRUNCATE ON "public"."members" FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m10');

-- trigger changeover_a000011_ins on "public"."subscribers"
CREATE OR REPLACE TRIGGER "changeover_a000011_ins" AFTER INSERT ON "public"."subscribers" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m11_mirror();

-- trigger changeover_a000011_upd on "public"."subscribers"
CREATE OR REPLACE TRIGGER "changeover_a000011_upd" AFTER UPDATE ON "public"."subscribers" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m11_mirror();

-- trigger changeover_a000011_del on "public"."subscribers"
CREATE OR REPLACE TRIGGER "changeover_a000011_del" AFTER DELETE ON "public"."subscribers" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover.m11_mirror();

-- trigger changeover_a000011_trunc on "public"."subscribers"
CREATE OR REPLACE TRIGGER "changeover_a000011_trunc" AFTER TRUNCATE ON "public"."subscribers" FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m11');

-- view compat.members
DROP VIEW IF EXISTS "compat"."members";
DROP FUNCTION IF EXISTS changeover.m10_old(tid, oid);
CREATE FUNCTION changeover.m10_old(tid, oid, OUT "#there" boolean, OUT "#1" text, OUT "#2" text)
LANGUAGE sql
STABLE
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS '-- One row of the old table, made of the row of the new table at a place: the body of the function that the compatibility
-- view calls. A role that may read the old table may execute it, and is given no row that the old table would not show
-- it: with row-level security on the old table, only a session of its owner is given one; and whoever has lost the right
-- to read the old table is given none, whether the view asks or somebody calls the function. The role that asks is the
-- one of SET ROLE, else of the session: within the function the current one is always its owner.
SELECT true, r."#1", r."#2"
FROM "public"."contacts" t CROSS JOIN LATERAL changeover.m10_old_row(t.*) r
WHERE t."originals" ? ''members''
    AND t.ctid = $1 AND t.tableoid = $2
    AND (SELECT NOT c.relrowsecurity OR pg_catalog.pg_has_role(session_user, c.relowner, ''USAGE'')
         FROM pg_catalog.pg_class c WHERE c.oid = 100004)
    AND (SELECT pg_catalog.has_table_privilege(CASE pg_catalog.current_setting(''role'') WHEN ''none'' THEN session_user ELSE pg_catalog.current_setting(''role'')::name END, 100004::oid, ''SELECT''))
';
SELECT changeover.keep_private('changeover.m10_old(tid, oid)'::pg_catalog.regprocedure);
CREATE VIEW "compat"."members" AS
SELECT (o.row)."#1"::text AS "mail",
    (o.row)."#2"::text AS "name"
FROM (
SELECT changeover.m10_old(t.ctid, t.tableoid) AS row
FROM "public"."contacts" t
WHERE t."originals" ? 'members'
    AND (SELECT has_table_privilege(100004::oid, 'SELECT') AND NOT row_security_active(100004::oid) AND pg_catalog.has_table_privilege(CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user ELSE pg_catalog.current_setting('role')::name END, 100004::oid, 'SELECT'))
OFFSET 0
) o;
SELECT changeover.keep_private('"compat"."members"'::pg_catalog.regclass, false);

-- view compat.subscribers
DROP VIEW IF EXISTS "compat"."subscribers";
DROP FUNCTION IF EXISTS changeover.m11_old(tid, oid);
CREATE FUNCTION changeover.m11_old(tid, oid, OUT "#there" boolean, OUT "#1" integer, OUT "#2" text, OUT "#3" date)
LANGUAGE sql
STABLE
SECURITY DEFINER
-- pinned, with search_path = pg_catalog, "public", "changeover", pg_temp
AS '-- One row of the old table, made of the row of the new table at a place: the body of the function that the compatibility
-- view calls. A role that may read the old table may execute it, and is given no row that the old table would not show
-- it: with row-level security on the old table, only a session of its owner is given one; and whoever has lost the right
-- to read the old table is given none, whether the view asks or somebody calls the function. The role that asks is the
-- one of SET ROLE, else of the session: within the function the current one is always its owner.
SELECT true, r."#1", r."#2", r."#3"
FROM "public"."contacts" t CROSS JOIN LATERAL changeover.m11_old_row(t.*) r
WHERE t."originals" ? ''subscribers''
    AND t.ctid = $1 AND t.tableoid = $2
    AND (SELECT NOT c.relrowsecurity OR pg_catalog.pg_has_role(session_user, c.relowner, ''USAGE'')
         FROM pg_catalog.pg_class c WHERE c.oid = 100005)
    AND (SELECT pg_catalog.has_table_privilege(CASE pg_catalog.current_setting(''role'') WHEN ''none'' THEN session_user ELSE pg_catalog.current_setting(''role'')::name END, 100005::oid, ''SELECT''))
';
SELECT changeover.keep_private('changeover.m11_old(tid, oid)'::pg_catalog.regprocedure);
CREATE VIEW "compat"."subscribers" AS
SELECT (o.row)."#1"::integer AS "id",
    (o.row)."#2"::text AS "mail",
    (o.row)."#3"::date AS "since"
FROM (
SELECT changeover.m11_old(t.ctid, t.tableoid) AS row
FROM "public"."contacts" t
WHERE t."originals" ? 'subscribers'
    AND (SELECT has_table_privilege(100005::oid, 'SELECT') AND NOT row_security_active(100005::oid) AND pg_catalog.has_table_privilege(CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user ELSE pg_catalog.current_setting('role')::name END, 100005::oid, 'SELECT'))
OFFSET 0
) o;
SELECT changeover.keep_private('"compat"."subscribers"'::pg_catalog.regclass, false);
