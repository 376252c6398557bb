-- What a derivation needs beyond one upsert: the extraordinary cases. Seldom needed by a session: the statements are put together when they
-- are needed, of the fragments of the source (see fragments.sql) and the names of columns, and their plans are not kept. Told for this:
--   id_of                     the key of the target for k.key, a key as text
--   own, alive, ahead         the conditions for a row g: of this source; with an old row at all; of this source and ahead (see frame.py)
--   columns, compared, casts  the columns that a derivation writes; those that must agree; what stands behind some of them to be compared
--   originals, originals_key, document   where the old values are kept, and what is kept there of a row g
--   lost                      what of the row r.said the row r.stands does not give back, over d as well
--   waiting                   which of the keys $1 have a write of the new side that waits
--   rows, create, packs, discriminator, exempt   as the plan has them: the function that derives, the statements that make a lookup's rows

-- The columns that an upsert writes over, but for the key: what SET says of each, and the condition that it changes something. The
-- originals keep their other members. The drain looks at many a row that is right: if it wrote it all the same, a writer of the new side
-- with an older snapshot of this row would fail for nothing; any other writer is not asked.
CREATE OR REPLACE FUNCTION changeover.upsert_set(p_says jsonb, OUT sets text, OUT worth_it text)
LANGUAGE sql STABLE AS $$
    SELECT string_agg(format('%I = %s', u.name, u.value), ', ' ORDER BY u.nth),
        CASE WHEN coalesce(current_setting('changeover.draining', true), '') = '' THEN 'true' ELSE
            '(' || string_agg(format('(%1$s)%3$s IS DISTINCT FROM g.%2$I%3$s', u.value, u.name, p_says -> 'casts' ->> u.name), ' OR ') || ')'
        END
    FROM (
        SELECT c.name, c.nth, CASE WHEN c.name = p_says ->> 'originals' AND p_says ? 'originals_key'
            THEN format('(coalesce(g.%1$I, ''{}'') - %2$L) || EXCLUDED.%1$I', c.name, p_says ->> 'originals_key')
            ELSE format('EXCLUDED.%I', c.name) END AS value
        FROM jsonb_array_elements_text(p_says -> 'compared') WITH ORDINALITY AS c (name, nth)
        WHERE c.name <> p_says ->> 'target_key'
    ) u
$$;

-- What a row that is ahead gets in one column. Only what the old schema says anew is taken; of a packed document, member by member.
CREATE OR REPLACE FUNCTION changeover.ahead_value(p_name text, p_packed boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format(CASE WHEN p_packed THEN
        'CASE WHEN a.ahead ->> %2$L IS NOT NULL AND jsonb_typeof(h.%1$I) = ''object'' THEN '
        '(h.%1$I - ARRAY(SELECT o.k FROM jsonb_object_keys((a.ahead ->> %2$L)::jsonb) o (k) '
        'WHERE (a.ahead ->> %2$L)::jsonb -> o.k IS DISTINCT FROM d.%1$I -> o.k)) '
        '|| (SELECT coalesce(jsonb_object_agg(o.k, o.v), ''{}'') FROM jsonb_each(d.%1$I) o (k, v) '
        'WHERE (a.ahead ->> %2$L)::jsonb -> o.k IS DISTINCT FROM o.v) ELSE d.%1$I END AS %1$I'
    ELSE
        'CASE WHEN a.ahead ? %2$L AND (a.ahead ->> %2$L) IS NOT DISTINCT FROM d.%1$I::text THEN h.%1$I ELSE d.%1$I END AS %1$I'
    END, p_name, p_name)
$$;

-- Rows with values of the new side that the old schema cannot tell: those columns stay as they are as long as the old schema still says
-- what it said when they were written. To the derived originals comes what the row that then stands there does not give back. The rows are locked: h
-- is g, for what must be computed before.
CREATE OR REPLACE FUNCTION changeover.update_ahead(p_says jsonb, p_keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_originals text := p_says ->> 'originals';
    v_member text := p_says ->> 'originals_key';
    v_document text := p_says ->> 'document';
    v_packs text[] := ARRAY(SELECT jsonb_array_elements_text(p_says -> 'packs'));
    v_columns text[];
    v_set text;
    v_worth_it text := 'true';
    v_not_packed text;
    v_said text;
    v_stands text;
    v_texts text;
    v_values text;
    v_stored text := 'o.document';
BEGIN
    IF v_originals IS NULL THEN
        RETURN;
    END IF;
    v_columns := ARRAY(
        SELECT c.name FROM jsonb_array_elements_text(p_says -> 'compared') WITH ORDINALITY AS c (name, nth)
        WHERE c.name NOT IN (p_says ->> 'target_key', v_originals, coalesce(p_says ->> 'exempt', v_originals)) ORDER BY c.nth);
    IF v_member IS NOT NULL THEN
        v_stored := format(
            '(coalesce(g.%I, ''{}'') - %L) || CASE o.document WHEN ''{}'' THEN ''{}''::jsonb ELSE jsonb_build_object(%2$L, o.document) END',
            v_originals, v_member);
    END IF;
    SELECT string_agg(format('%I = %s', v.name, v.value), ', '),
        CASE WHEN coalesce(current_setting('changeover.draining', true), '') = '' THEN 'true' ELSE
            string_agg(format('(%1$s)%3$s IS DISTINCT FROM g.%2$I%3$s', v.value, v.name, p_says -> 'casts' ->> v.name), ' OR ') END
    INTO v_set, v_worth_it
    FROM (
        SELECT c.name, format('n.%I', c.name) AS value FROM unnest(v_columns) AS c (name)
        UNION ALL SELECT v_originals, v_stored
        UNION ALL SELECT p_says ->> 'exempt', format('d.%I', p_says ->> 'exempt') WHERE p_says ? 'exempt'
    ) v;
    SELECT string_agg(changeover.ahead_value(c.name, c.name = ANY (v_packs)), ', '),
        string_agg(format(' || jsonb_build_object(%L, d.%I::text)', c.name, c.name), '')
    INTO v_values, v_texts FROM unnest(v_columns) AS c (name);
    -- Of the old values that were kept: those that the old schema still says, and that the new document has not.
    SELECT ' || coalesce((SELECT jsonb_object_agg(r.key, r.value) FROM jsonb_each(b.kept - ''~'') r WHERE '
        || string_agg(format('(NOT h.%1$I ? r.key AND (b.ahead ->> %1$L)::jsonb -> r.key = d.%1$I -> r.key)', c.name), ' OR ') || '), ''{}'')'
    INTO v_not_packed FROM unnest(v_columns) AS c (name) WHERE c.name = ANY (v_packs);
    SELECT string_agg(CASE WHEN t.told THEN format('d.%I', t.name) ELSE format('h.%I', t.name) END, ', ' ORDER BY t.nth),
        string_agg(CASE WHEN t.name = ANY (v_columns) THEN format('n.%I', t.name) WHEN t.told THEN format('d.%I', t.name)
                   ELSE format('h.%I', t.name) END, ', ' ORDER BY t.nth)
    INTO v_said, v_stands
    FROM (
        SELECT a.attname::text AS name, a.attnum AS nth, p_says -> 'compared' ? a.attname::text AS told
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = (p_says ->> 'target')::regclass AND a.attnum > 0 AND NOT a.attisdropped
    ) t;
    EXECUTE format($sql$
        UPDATE %1$s g SET %2$s
        FROM (SELECT r.* FROM changeover.%3$I($1) r) d
        JOIN %1$s h ON h.%4$s = d.%4$s AND d."#reason" IS NULL AND (SELECT %5$s FROM (SELECT h.*) g)
        CROSS JOIN LATERAL (SELECT k.kept, k.kept -> '~' AS ahead, '{}'::jsonb%6$s AS said
                            FROM (SELECT (SELECT %7$s FROM (SELECT h.%8$I) g) AS kept OFFSET 0) k) b
        CROSS JOIN LATERAL (
            SELECT b.ahead, coalesce((
                SELECT jsonb_build_object('~', jsonb_object_agg(e.key, CASE WHEN e.key = ANY ($2) THEN b.said -> e.key ELSE e.value END))
                FROM jsonb_each(b.ahead) e WHERE e.key = ANY ($2) OR (b.said -> e.key) = e.value
                HAVING count(*) > 0), '{}')%9$s AS remaining) a
        CROSS JOIN LATERAL (SELECT %10$s OFFSET 0) n
        CROSS JOIN LATERAL (SELECT ROW(%11$s)::%1$s AS said, ROW(%12$s)::%1$s AS stands OFFSET 0) r
        CROSS JOIN LATERAL (SELECT (SELECT %7$s FROM (SELECT d.%8$I) g) || %13$s || a.remaining AS document OFFSET 0) o
        WHERE g.%4$s = d.%4$s AND (%14$s)$sql$,
        p_says ->> 'target', v_set, p_says ->> 'rows', format('%I', p_says ->> 'target_key'), p_says ->> 'ahead', coalesce(v_texts, ''),
        v_document, v_originals, coalesce(v_not_packed, ''), coalesce(v_values, 'NULL AS "#none"'), v_said, v_stands, p_says ->> 'lost', v_worth_it)
    USING p_keys, v_packs;
END
$$;

-- Makes the rejects of these keys exactly those that apply now; a waived one stays waived. p_found is a query of key, reason, detail and row, over
-- the keys $1; of a merge also over those that cannot be derived, $3, with their reasons, $4.
CREATE OR REPLACE FUNCTION changeover.settle_rejects(
    p_source integer, p_keys text[], p_found text, p_bad text[] DEFAULT NULL, p_reasons text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        WITH wanted AS (
            SELECT f.key, f.reason, f.detail, f."row", row_number() OVER (PARTITION BY f.key, f.reason, f."row") AS nth
            FROM (%s) f WHERE f.reason <> 'displaces'
        ),
        standing AS (
            SELECT r.id, r.key, r.reason, r."row", row_number() OVER (PARTITION BY r.key, r.reason, r."row" ORDER BY r.id) AS nth
            FROM changeover.reject r WHERE r.source_id = $2 AND r.key = ANY ($1)
        ),
        settled AS (
            DELETE FROM changeover.reject r
            WHERE r.id = ANY (ARRAY(
                SELECT s.id FROM standing s
                WHERE NOT EXISTS (SELECT FROM wanted w WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))))
        )
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT z.id, z.name, m.stage, w.key, w.reason, w.detail, w."row"
        FROM wanted w, changeover.source z JOIN changeover.mapping m ON m.id = z.mapping_id
        WHERE z.id = $2
          AND NOT EXISTS (SELECT FROM standing s WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))$sql$, p_found)
    USING p_keys, p_source, p_bad, p_reasons;
    PERFORM changeover.brought_back(p_source, p_keys);
END
$$;

-- The extraordinary cases of a derivation of one source, in the order in which they depend on each other.
CREATE OR REPLACE FUNCTION changeover.apply_slow(p_source integer, p_keys text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
    v_target text := v_says ->> 'target';
    v_key text := format('%I', v_says ->> 'target_key');
    v_own text := v_says ->> 'own';
    v_rows text := format('(SELECT r.* FROM changeover.%I($1) r) d', v_says ->> 'rows');
    v_later text := 'false';
    v_of_key text := format('g.%s = %s AND %s', v_key, v_says ->> 'id_of', v_says ->> 'mine');
    v_create text;
    v_set record;
    v_unresolved boolean;
    v_displaced record;
    v_absent text[];
    v_gone text[];
BEGIN
    IF NOT v_says ? 'id_of' THEN
        RETURN;  -- a merge has its own
    END IF;
    IF v_says ? 'discriminator' THEN
        v_later := format('EXISTS (SELECT FROM changeover.source y, changeover.source z WHERE y.id = %s AND z.mapping_id = y.mapping_id '
                          'AND z.ordinal > y.ordinal AND g.%I::text = ANY (z.discriminators))', p_source, v_says ->> 'discriminator');
    END IF;
    -- Whoever brings a key back at this moment, or takes another row of it away, holds the target row. What the
    -- source says is looked at after waiting for it, statement by statement.
    EXECUTE format('SELECT FROM %s g, unnest($1) AS k (key) WHERE %s FOR UPDATE OF g', v_target, v_of_key) USING p_keys;

    -- 1. Rows that the lookups must make first.
    IF v_says ? 'create' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE d."#reason" IS NULL AND d."#unresolved")', v_rows) INTO v_unresolved USING p_keys;
        IF v_unresolved THEN
            FOR v_create IN SELECT c.statement FROM jsonb_array_elements_text(v_says -> 'create') AS c (statement) LOOP
                EXECUTE v_create USING p_keys;
            END LOOP;
        END IF;
    END IF;

    -- 2. An id that stands in two tables belongs to the table that comes first in the plan's order.
    IF v_says ? 'discriminator' THEN
        FOR v_displaced IN EXECUTE format($sql$
            WITH displaced AS (
                DELETE FROM %1$s g USING %2$s
                WHERE d."#reason" IS NULL AND g.%3$s = d.%3$s AND NOT (%4$s) AND %5$s
                RETURNING g AS "row", g.%6$I::text AS discriminator, d."#key" AS key
            )
            SELECT p."row", p.key, z.id AS source_id
            FROM displaced p
            JOIN changeover.source z ON z.mapping_id = (SELECT y.mapping_id FROM changeover.source y WHERE y.id = $2)
                AND p.discriminator = ANY (z.discriminators)$sql$,
            v_target, v_rows, v_key, v_own, v_later, v_says ->> 'discriminator') USING p_keys, p_source
        LOOP
            -- The other table knows the row by a key of its own, perhaps of another type; or not yet.
            EXECUTE format('INSERT INTO changeover.queue (source_id, direction, key, cause) '
                           'SELECT $1, ''forward'', k.key, ''displaced'' FROM changeover.%I($2) AS k (key) WHERE k.key IS NOT NULL',
                           format('m%s_key', v_displaced.source_id))
            USING v_displaced.source_id, v_displaced."row";
            -- Where the new side has moved the row there and that waits, the old side has written it since: it stays.
            DELETE FROM changeover.queue c
            WHERE c.source_id = p_source AND c.key = v_displaced.key AND c.direction = 'reverse' AND c.patch ? 'erase';
        END LOOP;
    END IF;

    -- 3. What could not be stored in the first statement.
    v_set := changeover.upsert_set(v_says);
    EXECUTE (
        SELECT format('INSERT INTO %1$s AS g (%2$s) SELECT %3$s FROM %4$s WHERE d."#reason" IS NULL '
                      'ON CONFLICT (%5$s) DO UPDATE SET %6$s WHERE %7$s AND NOT (%8$s) AND %9$s',
                      v_target, string_agg(format('%I', c.name), ', ' ORDER BY c.nth), string_agg(format('d.%I', c.name), ', ' ORDER BY c.nth),
                      v_rows, v_key, v_set.sets, v_own, v_says ->> 'ahead', v_set.worth_it)
        FROM jsonb_array_elements_text(v_says -> 'columns') WITH ORDINALITY AS c (name, nth))
    USING p_keys;

    -- 4. Rows that are ahead.
    PERFORM changeover.update_ahead(v_says, p_keys);

    -- 5. Rows whose source is gone, or is no longer representable.
    EXECUTE format('SELECT array_agg(a.key) FROM (SELECT k.key FROM unnest($1) AS k (key) '
                   'EXCEPT SELECT d."#key" FROM %s WHERE d."#reason" IS NULL) a', v_rows) INTO v_absent USING p_keys;
    IF v_absent IS NOT NULL THEN
        -- The id is asked of the key and not of the row, or the planner asks it of every row there is. A row that the new side has made and
        -- could not write back yet stays.
        EXECUTE format($sql$
            WITH gone AS (
                DELETE FROM %1$s g USING unnest($1) AS k (key)
                WHERE %2$s AND (%3$s IN (SELECT d.%4$s FROM %5$s WHERE d."#reason" IS NULL)) IS NOT TRUE
                  AND NOT EXISTS (SELECT FROM changeover.queue c
                                  WHERE c.key = k.key AND c.source_id = $2 AND c.direction = 'reverse' AND c.patch ? 'whole')
                RETURNING k.key
            )
            SELECT array_agg(d.key) FROM gone d$sql$, v_target, v_of_key, v_says ->> 'id_of', v_key, v_rows)
        INTO v_gone USING v_absent, p_source;
        -- A batch that has not committed may bring such a row back, and a snapshot of REPEATABLE READ may not
        -- have shown it to us: both are looked at again, unless it is the drain who asks.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT p_source, 'forward', a.key, 'gone'
        FROM unnest(v_absent) AS a (key)
        WHERE current_setting('changeover.draining', true) IS DISTINCT FROM p_source::text
          AND (EXISTS (SELECT FROM changeover.source z WHERE z.id = p_source AND z.state NOT IN ('copied', 'archived'))
               OR (current_setting('transaction_isolation') <> 'read committed'
                   AND a.key <> ALL (coalesce(v_gone, '{}'))));
        IF v_says ? 'discriminator' THEN
            PERFORM changeover.release(p_source, v_gone);
        END IF;
    END IF;

    -- 6. The rejects.
    PERFORM changeover.settle_rejects(p_source, p_keys, format(
        'SELECT d."#key" AS key, coalesce(d."#reason", CASE WHEN %1$s THEN ''displaces'' ELSE ''id_taken'' END) AS reason, '
        'NULL::text AS detail, d."#row" AS "row" FROM %2$s LEFT JOIN %3$s g ON g.%4$s = d.%4$s AND NOT (%5$s) '
        'WHERE d."#reason" IS NOT NULL OR g.%4$s IS NOT NULL', v_later, v_rows, v_target, v_key, v_own));
END
$$;

-- Makes the target what the source says now for these keys; the caller is a writer of the rows or has locked them.
-- The ordinary case is the one statement; whatever is not ordinary (a row that is gone, rejected, made of a missing lookup, or ahead on the new
-- side) is settled by the second function. A row with a write of the new side that waits is left alone: the old row does not say
-- yet what it said, and the new side goes on reading what it wrote. It is looked at again once that is settled.
-- A kind, or a source, whose mirror has no shorter way has a function of its own, whose plans are kept (apply is its name if it is the mapping's).
CREATE OR REPLACE FUNCTION changeover.apply(p_source integer, p_keys text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_set record;
    v_stored text[];
    v_rest text[];
BEGIN
    IF NOT v_says ? 'waiting' THEN
        EXECUTE coalesce('SELECT changeover.' || (v_says ->> 'apply') || '($1, $2)', format('SELECT changeover.m%s_apply($1)', p_source))
        USING p_keys, p_source;
        RETURN;
    END IF;
    EXECUTE format('SELECT ARRAY(%s UNION SELECT unnest($2))', v_says ->> 'waiting')
    INTO v_rest USING p_keys, changeover.noted(ARRAY[p_source], p_keys);
    IF v_rest <> '{}' THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause, not_before)
        SELECT p_source, 'forward', w.key, 'waits', clock_timestamp() + interval '100 ms' FROM unnest(v_rest) AS w (key);
        p_keys := ARRAY(SELECT k.key FROM unnest(p_keys) AS k (key) EXCEPT SELECT w.key FROM unnest(v_rest) AS w (key));
        IF p_keys = '{}' THEN
            RETURN;
        END IF;
    END IF;
    PERFORM set_config('changeover.origin', changeover.forward_origin(p_source), true);
    v_set := changeover.upsert_set(v_says);
    EXECUTE (
        SELECT format($sql$
            WITH stored AS (
                INSERT INTO %1$s AS g (%2$s)
                SELECT %3$s FROM (SELECT r.* FROM changeover.%4$I($1) r) d WHERE d."#reason" IS NULL AND NOT d."#unresolved"
                ON CONFLICT (%5$I) DO UPDATE SET %6$s WHERE %7$s AND NOT (%8$s) AND %9$s
                RETURNING g.%5$I::text AS id
            )
            SELECT array_agg(s.id) FROM stored s$sql$,
            v_says ->> 'target', string_agg(format('%I', c.name), ', ' ORDER BY c.nth),
            string_agg(format('d.%I', c.name), ', ' ORDER BY c.nth), v_says ->> 'rows', v_says ->> 'target_key', v_set.sets,
            v_says ->> 'own', v_says ->> 'ahead', v_set.worth_it)
        FROM jsonb_array_elements_text(v_says -> 'columns') WITH ORDINALITY AS c (name, nth))
    INTO v_stored USING p_keys;
    -- A new statement, as the first may have waited. IN, because that is hashed whatever the planner thinks of the arrays' length.
    EXECUTE format($sql$
        SELECT ARRAY(
            SELECT k.key FROM (SELECT k.key, %s AS id FROM unnest($1) AS k (key) OFFSET 0) k
            WHERE (k.id::text IN (SELECT s.id FROM unnest($3) AS s (id))) IS NOT TRUE
               OR k.key IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = $2 AND r.key = ANY ($1)))$sql$, v_says ->> 'id_of')
    INTO v_rest USING p_keys, p_source, v_stored;
    IF v_rest <> '{}' AND coalesce(current_setting('changeover.draining', true), '') <> '' THEN
        -- The drain looks at many a row that is right, and did not write it: that is no extraordinary case. EXCLUDED is what worth_it calls it.
        EXECUTE format($sql$
            SELECT ARRAY(
                SELECT k.key FROM unnest($1) AS k (key)
                EXCEPT
                SELECT EXCLUDED."#key" FROM (SELECT r.* FROM changeover.%1$I($1) r) EXCLUDED JOIN %2$s g ON g.%3$I = EXCLUDED.%3$I
                WHERE EXCLUDED."#reason" IS NULL AND NOT EXCLUDED."#unresolved" AND %4$s AND NOT (%5$s) AND NOT (%6$s)
                  AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = $2 AND r.key = EXCLUDED."#key"))$sql$,
            v_says ->> 'rows', v_says ->> 'target', v_says ->> 'target_key', v_says ->> 'own', v_says ->> 'ahead', v_set.worth_it)
        INTO v_rest USING v_rest, p_source;
    END IF;
    IF v_rest <> '{}' THEN
        PERFORM changeover.apply_slow(p_source, v_rest);
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$$;
