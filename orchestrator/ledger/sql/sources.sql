-- What the workers do with the rows of a source, whatever kind its mapping is. A source is its number: what depends on the mapping is
-- asked of fragments.sql and of mN_compared(from, to, first), which tells what differs on these pages. They evaluate expressions of the
-- plan and bring the settings for that; these here need none but the path.

-- Errors that are no row's fault: contention, a server in need, a text that does not fit the catalog. Whoever meets one passes it on.
CREATE OR REPLACE FUNCTION changeover.passes_on(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN p_state IN ('40001', '40P01', '55P03', '57014') OR p_state LIKE '53%' OR p_state LIKE '42%';

-- The origin that the forward mirror of a source writes under.
CREATE OR REPLACE FUNCTION changeover.forward_origin(p_source integer) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT m.name || ':f' FROM changeover.source AS z JOIN changeover.mapping AS m ON m.id = z.mapping_id WHERE z.id = p_source);

-- The second key of the advisory lock that the batches of a source share and its drain takes alone (C8). Where sources share rows of
-- the target, they share the lock: a batch of either may bring a key back.
CREATE OR REPLACE FUNCTION changeover.lock_key(p_source integer) RETURNS integer
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN m.shares_rows THEN -m.id ELSE z.id END
        FROM changeover.source AS z JOIN changeover.mapping AS m ON m.id = z.mapping_id WHERE z.id = p_source);

-- The place before every row of a page.
CREATE OR REPLACE FUNCTION changeover.page_start(p_page bigint) RETURNS tid
LANGUAGE sql IMMUTABLE
RETURN ('(' || p_page || ',0)')::tid;

-- The rows of a key become rejects with the name of an error, and no others; returns how many. Of sources that share rows, all that
-- have the key.
CREATE OR REPLACE FUNCTION changeover.reject_key(p_source integer, p_key text, p_state text, p_message text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_each record;
    v_rejected bigint;
    v_count bigint := 0;
BEGIN
    FOR v_each IN
        SELECT z.id, z.name, m.stage
        FROM changeover.source y
        JOIN changeover.mapping m ON m.id = y.mapping_id
        JOIN changeover.source z ON z.id = y.id OR m.shares_rows AND z.mapping_id = m.id
        WHERE y.id = p_source
    LOOP
        DELETE FROM changeover.reject r WHERE r.source_id = v_each.id AND r.key = p_key;
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT v_each.id, v_each.name, v_each.stage, k.key, changeover.condition_name(p_state), p_message, k."row"
        FROM changeover.source_rows(v_each.id, ARRAY[p_key], NULL, NULL, NULL, true) k;
        GET DIAGNOSTICS v_rejected = ROW_COUNT;
        v_count := v_count + v_rejected;
    END LOOP;
    RETURN v_count;
END
$$;

-- One key, whatever happens: both sides agree, or its rows are rejects with the name of the error. Returns how many were rejected
-- by an error here. Of sources that share rows, all that have the key.
CREATE OR REPLACE FUNCTION changeover.one(p_source integer, p_key text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_state text;
    v_message text;
    v_detail text;
    v_count bigint := 0;
BEGIN
    PERFORM set_config('changeover.origin', changeover.forward_origin(p_source), true);
    BEGIN
        PERFORM changeover.sync(p_source, ARRAY[p_key]);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL;
        IF changeover.passes_on(v_state) THEN
            RAISE;
        END IF;
        BEGIN
            PERFORM changeover.remove(p_source, ARRAY[p_key]);
        EXCEPTION WHEN foreign_key_violation THEN
            -- The key waits, and whoever reads of it must hear what to mend: the old row, not the key that holds the new one.
            RAISE foreign_key_violation USING
                MESSAGE = format('the old row can have no new row (%s), and the one that it had cannot go: %s', v_message, SQLERRM);
        END;
        IF v_state = '23503' THEN
            v_message := v_message || ': ' || v_detail;  -- which row is missing: with it this one comes back (C19)
        END IF;
        v_count := changeover.reject_key(p_source, p_key, v_state, v_message);
    END;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN v_count;
END
$$;

-- The heap pages [lo, hi) key by key: a batch that fails on a value is narrowed down to here. The row that cannot be stored becomes a
-- reject; the others go through. What the plan rejects counts as such, beside what failed.
CREATE OR REPLACE FUNCTION changeover.isolate(p_source integer, lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_keys text[];
    v_key text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1128419927, changeover.lock_key(p_source));
    SELECT count(*), array_agg(DISTINCT k.key) INTO seen, v_keys
    FROM changeover.source_rows(p_source, NULL, NULL, changeover.page_start(lo), changeover.page_start(hi), false) k;
    FOREACH v_key IN ARRAY coalesce(v_keys, '{}') LOOP
        PERFORM changeover.one(p_source, v_key);
    END LOOP;
    SELECT count(*) INTO rejected FROM changeover.reject r WHERE r.source_id = p_source AND r.key = ANY (v_keys) AND r.id > 0;
    copied := seen - rejected;
    RETURN NEXT;
END
$$;

-- The rows of these pages again, overwriting: of a source whose columns changed after its copy. Each is locked before it is read.
CREATE OR REPLACE FUNCTION changeover.resync(p_source integer, lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_keys text[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1128419927, changeover.lock_key(p_source));
    SELECT count(*), array_agg(DISTINCT k.key) INTO seen, v_keys
    FROM changeover.source_rows(p_source, NULL, NULL, changeover.page_start(lo), changeover.page_start(hi), false) k;
    IF seen > 0 THEN
        PERFORM changeover.sync(p_source, v_keys);
    END IF;
    copied := seen;
    rejected := 0;
    RETURN NEXT;
END
$$;

-- The comparison of the heap pages [lo, hi) of a source with the target, and how many rows stand on them.
--
-- A row may be one that cannot even be derived (a cast in the plan fails on its value): the batch has made it a reject, and all that is
-- left to ask is whether that reject stands. Such a row would end the whole comparison, so the pages are then gone through row by row.
CREATE OR REPLACE FUNCTION changeover.compare(p_source integer, lo bigint, hi bigint)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_compared text := format('SELECT f.* FROM changeover.m%s_compared($1, $2, $3) f', p_source);
    v_from tid := changeover.page_start(lo);
    v_to tid := changeover.page_start(hi);
    -- Of a table that is changed in place only the columns of the mapping count: what else of the row is written changes no reject.
    v_in_place boolean := changeover.says(p_source, 'sync_reverse');
    v_whole boolean := true;
    v_row record;
    v_behind tid;
    v_state text;
BEGIN
    BEGIN
        RETURN QUERY EXECUTE v_compared USING v_from, v_to, lo = 0;
    EXCEPTION WHEN OTHERS THEN
        IF changeover.passes_on(SQLSTATE) THEN
            RAISE;
        END IF;
        v_whole := false;
    END;
    IF NOT v_whole THEN
        RETURN QUERY EXECUTE v_compared USING v_from, v_from, lo = 0;
        FOR v_row IN SELECT k.* FROM changeover.source_rows(p_source, NULL, NULL, v_from, v_to, true) k LOOP
            v_behind := format('(%s,%s)', (v_row.place::text::point)[0], (v_row.place::text::point)[1] + 1);
            BEGIN
                RETURN QUERY EXECUTE v_compared USING v_row.place, v_behind, false;
            EXCEPTION WHEN OTHERS THEN
                v_state := SQLSTATE;
                IF changeover.passes_on(v_state) THEN
                    RAISE;
                END IF;
                RETURN QUERY
                SELECT v_row.key, CASE WHEN v_row.stands THEN 'orphan' ELSE 'unrejected' END, NULL::text[],
                    v_row."row", jsonb_build_object('error', changeover.condition_name(v_state))
                WHERE v_row.stands OR NOT EXISTS (
                    SELECT FROM changeover.reject r
                    WHERE r.source_id = p_source AND r.key = v_row.key AND (r."row" = v_row."row" OR v_in_place));
            END;
        END LOOP;
    END IF;

    RETURN QUERY
    SELECT count(*)::text, 'counted'::text, NULL::text[], NULL::jsonb, NULL::jsonb
    FROM changeover.source_rows(p_source, NULL, NULL, v_from, v_to, NULL) k;
END
$$;

-- TRUNCATE of a source, whose name the trigger gives. It holds ACCESS EXCLUSIVE, so no batch of this table is under way; only a snapshot of
-- REPEATABLE READ can hide rows from us, and then the drain looks at the whole source.
CREATE OR REPLACE FUNCTION changeover.truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_source integer := substr(TG_ARGV[0], 2);
    v_waits text := changeover.wait_less();
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', changeover.forward_origin(v_source), true);
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE serialization_failure;
        END IF;
        PERFORM changeover.remove(v_source, NULL);
        DELETE FROM changeover.reject r WHERE r.source_id = v_source AND r.id > 0;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (v_source, 'forward', NULL, 'truncate');
    END;
    PERFORM set_config('changeover.origin', v_origin, true);
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$$;

-- TRUNCATE of the new table of a mapping by an application. Which rows stood there nobody can say any more, and a snapshot of
-- REPEATABLE READ hides some of the old ones: so it only leaves a mark, and the drain erases each old row for which nothing stands.
-- While rows are still copied it cannot tell those that had come from those that have not: then the old side speaks, and they come again.
CREATE OR REPLACE FUNCTION changeover.emptied() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('changeover.origin', true), '') = '' THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT z.id, w.direction, NULL, 'emptied', CASE w.direction WHEN 'reverse' THEN jsonb_build_object('seen', pg_current_snapshot()::text) END
        FROM changeover.source z
        CROSS JOIN LATERAL (SELECT CASE WHEN z.state IN ('copied', 'archived') THEN 'reverse' ELSE 'forward' END AS direction) w
        WHERE z.mapping_id = substr(TG_ARGV[0], 2)::integer AND z.state <> 'found';
    END IF;
    RETURN NULL;
END
$$;

-- What a foreign key does to a row of a target while the mirror, a batch or the drain of another mapping writes (ON DELETE CASCADE, SET NULL,
-- ...): the old row has not changed, so its own mirror is not asked, and the drain derives it again (C19). A key of which the source has no
-- row left needs nothing. The trigger names the mapping, and the column of the key where it is no unify. Columns that no foreign key may
-- change tell of a trigger of the application, whose work stays.
CREATE OR REPLACE FUNCTION changeover.taken() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY'
SET intervalstyle = 'postgres' SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on
SET array_nulls = on SET row_security = off SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_old jsonb;
    v_new jsonb;
    v_source record;
    v_own text;
    v_id integer;
    v_key text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        v_old := to_jsonb(OLD);
        v_new := to_jsonb(NEW);
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_constraint c
        WHERE c.conrelid = TG_RELID AND c.contype = 'f'
          AND CASE WHEN TG_OP = 'DELETE' THEN c.confdeltype = 'c'
                   ELSE (c.confdeltype IN ('n', 'd') OR c.confupdtype IN ('c', 'n', 'd'))
                        AND EXISTS (SELECT FROM pg_attribute a
                                    WHERE a.attrelid = TG_RELID AND a.attnum = ANY (c.conkey)
                                      AND v_old -> a.attname::text IS DISTINCT FROM v_new -> a.attname::text) END)
    THEN
        RETURN NULL;
    END IF;
    FOR v_source IN
        SELECT z.id, m.kind, count(*) OVER () > 1 AS several
        FROM changeover.source z JOIN changeover.mapping m ON m.id = z.mapping_id
        WHERE m.id = substr(TG_ARGV[0], 2)::integer AND z.state <> 'found' ORDER BY z.ordinal
    LOOP
        IF v_source.kind = 'unify' THEN
            v_own := CASE WHEN v_source.several THEN changeover.fragments(v_source.id) ->> 'own' ELSE 'true' END;
            EXECUTE format('SELECT %s, changeover.m%1$s_key($1) FROM (SELECT ($1).*) g WHERE %s', v_source.id, v_own)
            INTO v_id, v_key USING OLD;
        ELSIF v_source.kind = 'split' THEN
            EXECUTE format('SELECT f.source, f.key FROM changeover.%s_source_of(($1).%I) f', TG_ARGV[0], TG_ARGV[1])
            INTO v_id, v_key USING OLD;
        ELSE
            EXECUTE format('SELECT %s, ($1).%I::text', v_source.id, TG_ARGV[1]) INTO v_id, v_key USING OLD;
        END IF;
        IF v_key IS NOT NULL AND EXISTS (SELECT FROM changeover.source_rows(v_id, ARRAY[v_key], NULL, NULL, NULL, false)) THEN
            PERFORM changeover.leave(v_id, ARRAY[v_key], 'foreign key');
            EXIT;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- A write by the view of a new version whose mirror is not on yet: nobody would tell the old side.
CREATE OR REPLACE FUNCTION changeover.not_yet() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of %.% refused: it cannot be written before dual-write', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'The mirror is not on yet, so nobody would tell the old columns or the old table.',
              HINT = 'Begin to write when `changeover status` shows dual-write as done.';
END
$$;
