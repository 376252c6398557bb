-- Looked-up rows that come, go or change (docs/concurrency.md, C20). The trigger on a looked-up table notes it, and reads nothing else. A note
-- is an entry of the queue without a key, for each source of the mapping:
--   {"lookup": name, "changes": [{"old": row, "new": row}, ...], "seen": the writer's snapshot}   rows of the columns that the mapping reads
--   {..., "changes": [], "any": true}    many rows have come: which, the drain reads in the table
--   {..., "others": [transactions]}      the second look, see drain_lookup
--   {"lookup": name, "all": true}      whatever may have changed: look at every row
-- Its direction is "reverse" where an application of the new side has changed what the way back reads. What a mirror has changed is no
-- word of the new side: the old rows did not change, and keep what they say.

-- A source's fragments have, by the name of the lookup, in "lookups":
--   table, key                the looked-up table and its key
--   match                     the condition over a row "#s" of the source; none where none leads to it
--   join, by                  the condition that a target row t leads to the looked-up row, if t tells, and the columns of t that it reads
--   back, alone               the columns whose way back reads the lookup, each with the expression over t; those that read nothing of t
-- and for all of them in "dependents", over t, and "#k".key, a key as text:
--   mine, key, of_key         it is of this source, its key, it is that of the key
--   place, kept               where the row of the key stands in the source, the old values that are kept of it
--   rows, row_key             of a kind that makes several rows of one: FROM items, and the key
-- They are put together as queries over $1, keys, $2, looked-up rows or changes, and $3, whether every looked-up row counts.

-- The trigger's arguments: the mapping, the lookup, its key, the origin of the mapping's own writes, the columns that the way back reads, all
-- columns that are read. A row that the mapping itself has made is known to it.
CREATE OR REPLACE FUNCTION changeover.lookup_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_mapping integer := TG_ARGV[0];
    v_note jsonb := jsonb_build_object('lookup', TG_ARGV[1]);
    v_back text[] := TG_ARGV[4];
    v_read text[] := TG_ARGV[5];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM changeover.note_lookup(v_mapping, 'forward', v_note || '{"all": true}');
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' AND v_origin = TG_ARGV[3] THEN
        RETURN NULL;
    END IF;
    v_note := v_note || jsonb_build_object('seen', pg_current_snapshot()::text);
    IF TG_OP = 'INSERT' THEN
        PERFORM changeover.note_lookup(v_mapping, 'forward', v_note || CASE WHEN n.rows > 100 THEN '{"changes": [], "any": true}'
                                                                        ELSE jsonb_build_object('changes', n.changes) END)
        FROM (SELECT count(*) AS rows, jsonb_agg(jsonb_build_object('new', changeover.some_of(to_jsonb(r.*), v_read))) AS changes
              FROM (SELECT * FROM new_rows LIMIT 101) r) n
        WHERE n.rows > 0;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM changeover.note_lookup(v_mapping, 'forward', v_note || jsonb_build_object('changes', n.changes))
        FROM (SELECT jsonb_agg(jsonb_build_object('old', r.one)) AS changes
              FROM (SELECT changeover.some_of(to_jsonb(o.*), v_read) AS one, (row_number() OVER () - 1) / 500 AS part FROM old_rows o) r
              GROUP BY r.part) n;
    ELSE
        PERFORM changeover.note_lookup(v_mapping, n.direction, v_note || jsonb_build_object('changes', n.changes))
        FROM (
            SELECT r.direction, jsonb_agg(jsonb_build_object('old', r.old, 'new', r.new)) AS changes
            FROM (
                SELECT o.one AS old, n.one AS new, d.direction, (row_number() OVER (PARTITION BY d.direction) - 1) / 500 AS part
                FROM (SELECT changeover.some_of(to_jsonb(x.*), v_read) AS one FROM old_rows x) o
                FULL JOIN (SELECT changeover.some_of(to_jsonb(x.*), v_read) AS one FROM new_rows x) n ON n.one -> TG_ARGV[2] = o.one -> TG_ARGV[2]
                CROSS JOIN LATERAL (
                    SELECT CASE WHEN v_origin = '' AND o.one IS NOT NULL AND n.one IS NOT NULL
                                     AND changeover.some_of(o.one, v_back) <> changeover.some_of(n.one, v_back)
                           THEN 'reverse' ELSE 'forward' END AS direction) d
                WHERE o.one IS DISTINCT FROM n.one
            ) r
            GROUP BY r.direction, r.part
        ) n;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    PERFORM changeover.note_lookup(v_mapping, 'forward', jsonb_build_object('lookup', TG_ARGV[1], 'all', true));
    RETURN NULL;
END
$$;

-- A row without the columns that nobody reads.
CREATE OR REPLACE FUNCTION changeover.some_of(p_row jsonb, p_columns text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT coalesce(jsonb_object_agg(c.name, p_row -> c.name), '{}') FROM unnest(p_columns) AS c (name) WHERE p_row ? c.name);

-- Leaves a note for each source of a mapping.
CREATE OR REPLACE FUNCTION changeover.note_lookup(p_mapping integer, p_direction text, p_note jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
    SELECT z.id, p_direction, NULL, 'lookup', p_note FROM changeover.source z WHERE z.mapping_id = p_mapping AND z.state <> 'found';
END
$$;

-- Whether a transaction had committed for a snapshot, as text. Numbers of rows have half of the digits; an old one that was used again since is
-- that of a row that is frozen.
CREATE OR REPLACE FUNCTION changeover.seen_by(p_writer xid, p_snapshot text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_last bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    v_writer bigint := p_writer::text::bigint;
BEGIN
    IF v_writer < 3 THEN
        RETURN true;
    END IF;
    v_writer := ((v_last >> 32) << 32) + v_writer;
    IF v_writer > v_last + 1000000 THEN
        v_writer := v_writer - 4294967296;
    END IF;
    RETURN v_writer < 3 OR pg_visible_in_snapshot(v_writer::text::xid8, p_snapshot::pg_snapshot);
END
$$;

-- The transactions that are open in this database, but for our own.
CREATE OR REPLACE FUNCTION changeover.at_work() RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(
        SELECT coalesce(l.virtualxid, l.transactionid::text) FROM pg_locks l
        WHERE l.locktype IN ('virtualxid', 'transactionid') AND l.mode = 'ExclusiveLock' AND l.granted
          AND (l.pid IN (SELECT a.pid FROM pg_stat_activity a
                         WHERE a.datname = current_database() AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid())
               OR l.transactionid IN (SELECT p.transaction FROM pg_prepared_xacts p WHERE p.database = current_database())))
$$;

-- Which of these keys lead to a looked-up row of which the drain has not told the old rows yet: derived now, they would be what they
-- were before the change (C10).
CREATE OR REPLACE FUNCTION changeover.noted(p_sources integer[], p_keys text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_note record;
    v_found text[];
    v_noted text[] := '{}';
BEGIN
    FOR v_note IN
        SELECT c.source_id, c.patch ->> 'lookup' AS lookup, array_agg(e.change -> 'old') AS rows
        FROM changeover.queue c CROSS JOIN LATERAL jsonb_array_elements(c.patch -> 'changes') AS e (change)
        WHERE c.source_id = ANY (p_sources) AND c.id > 0 AND c.key IS NULL AND c.direction = 'reverse' AND NOT c.patch ? 'others'
        GROUP BY c.source_id, c.patch ->> 'lookup'
    LOOP
        v_found := changeover.keys_by_lookup(v_note.source_id, v_note.lookup, 'noted', p_keys, v_note.rows, false);
        v_noted := v_noted || v_found;
    END LOOP;
    RETURN v_noted;
END
$$;

-- A query of keys:
--   led       of target rows that lead to the rows $2
--   noted     which of the keys $1 are such
--   nowhere   of target rows that lead to no row
--   to        of source rows that lead to the rows $2; where the target tells to which row, those among the keys $1
-- NULL where the source has none. Rows are given as an array, of which the planner knows how many there are.
CREATE OR REPLACE FUNCTION changeover.lookup_query(p_says jsonb, p_lookup text, p_query text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_look jsonb := p_says -> 'lookups' -> p_lookup;
    v_of jsonb := p_says -> 'dependents';
    v_target text := p_says ->> 'target';
    v_join text := v_look ->> 'join';
    v_mine text := format('%s AND %s IS NOT NULL', v_of ->> 'mine', v_of ->> 'key');
    v_rows text := format('unnest($2) AS "#r" (one) CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, "#r".one) %I', v_look ->> 'table', p_lookup);
    v_from text;
BEGIN
    IF NOT coalesce(v_look ? CASE p_query WHEN 'to' THEN 'match' ELSE 'join' END, false) THEN
        RETURN NULL;
    END IF;
    CASE p_query
        WHEN 'led' THEN
            RETURN format('SELECT DISTINCT %s AS key FROM %s JOIN %s t ON %s WHERE %s', v_of ->> 'key', v_rows, v_target, v_join, v_mine);
        WHEN 'noted' THEN
            RETURN format('SELECT DISTINCT "#k".key FROM %s CROSS JOIN unnest($1) AS "#k" (key) JOIN %s t ON %s AND %s WHERE %s',
                          v_rows, v_target, v_of ->> 'of_key', v_join, v_of ->> 'mine');
        WHEN 'nowhere' THEN
            RETURN format('SELECT DISTINCT %s AS key FROM %s t WHERE (%s) AND %s', v_of ->> 'key', v_target, (
                SELECT string_agg(format('t.%I IS NULL', b.name), ' OR ') FROM jsonb_array_elements_text(v_look -> 'by') AS b (name)), v_mine);
        WHEN 'to' THEN
            v_from := format('(SELECT x.*, %s AS "#key" FROM %s x WHERE %s) "#s"', p_says ->> 'key', p_says ->> 'source',
                             CASE WHEN v_join IS NULL THEN 'true' ELSE p_says ->> 'of_keys' END);
            RETURN format('SELECT DISTINCT %s AS key FROM %s', coalesce(v_of ->> 'row_key', '"#s"."#key"'), coalesce(v_of ->> 'rows', v_from))
                || CASE v_look ->> 'match' WHEN 'true' THEN '' ELSE format(
                    ' JOIN (SELECT p.* FROM unnest($2) r (one), jsonb_populate_record(NULL::%1$s, r.one) p UNION ALL '
                    'SELECT l.* FROM %1$s l WHERE $3) %2$I ON %3$s', v_look ->> 'table', p_lookup, v_look ->> 'match') END;
    END CASE;
END
$$;

CREATE OR REPLACE FUNCTION changeover.keys_by_lookup(
    p_source integer, p_lookup text, p_query text, p_keys text[], p_rows jsonb[], p_every boolean
) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_query text := changeover.lookup_query(changeover.fragments(p_source), p_lookup, p_query);
    v_found text[];
BEGIN
    IF v_query IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(f.key) FROM (%s) f', v_query) INTO v_found USING p_keys, p_rows, p_every;
    END IF;
    RETURN coalesce(v_found, '{}');
END
$$;

-- FROM items: a change "#c", the looked-up row as it was, and "#l", as it is.
CREATE OR REPLACE FUNCTION changeover.lookup_changes(p_look jsonb, p_lookup text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('unnest($2) AS "#c" (change) CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, "#c".change -> ''old'') %2$I '
                  'JOIN %1$s "#l" ON "#l".%3$I = %2$I.%3$I', p_look ->> 'table', p_lookup, p_look ->> 'key')
$$;

-- The query of keys and patches: of old rows that say something else since the changes $2. One that leads to the looked-up row and says
-- just what the way back gives has nothing to be told; if that is by an old value that is kept, only where it was written since.
CREATE OR REPLACE FUNCTION changeover.lookup_back(p_says jsonb, p_lookup text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        'SELECT "#k".key, jsonb_build_object(''drop'', to_jsonb(%1$L::text[]), ''set'', jsonb_build_object(%2$s)) AS patch FROM %3$s '
        'JOIN %4$s t ON %5$s CROSS JOIN LATERAL (SELECT %6$s AS key) "#k" CROSS JOIN LATERAL (SELECT %7$s OFFSET 0) "#v" '
        'LEFT JOIN LATERAL (SELECT x.xmin AS "#xmin", x.* FROM %8$s x WHERE x.ctid = %9$s) "#s" ON true '
        'WHERE %10$s AND "#k".key IS NOT NULL AND NOT coalesce(%11$s AND EXISTS (SELECT FROM (SELECT "#l".*) %12$I WHERE %13$s) '
        'AND (NOT %14$s ?| %1$L::text[] OR NOT changeover.seen_by("#s"."#xmin", "#c".change ->> ''seen'')), false)',
        array_agg(b.name), string_agg(format('%1$L, jsonb_build_array("#v"."#b%2$s", "#v"."#n%2$s")', b.name, b.nth), ', '),
        changeover.lookup_changes(p_says -> 'lookups' -> p_lookup, p_lookup),
        p_says ->> 'target', p_says -> 'lookups' -> p_lookup ->> 'join', p_says -> 'dependents' ->> 'key',
        string_agg(format('CASE WHEN %1$s ? %2$L THEN %1$s ->> %2$L ELSE (%3$s)::text END AS "#b%4$s", '
                          '(SELECT (%3$s)::text FROM (SELECT "#l".*) %5$I) AS "#n%4$s"', p_says -> 'dependents' ->> 'kept', b.name, b.said, b.nth, p_lookup), ', '),
        p_says ->> 'source', p_says -> 'dependents' ->> 'place', p_says -> 'dependents' ->> 'mine',
        string_agg(format('"#s".%1$I::text IS NOT DISTINCT FROM CASE WHEN %2$s ? %1$L THEN %2$s ->> %1$L ELSE "#v"."#n%3$s" END',
                          b.name, p_says -> 'dependents' ->> 'kept', b.nth), ' AND '),
        p_lookup, coalesce(p_says -> 'lookups' -> p_lookup ->> 'match', 'true'), p_says -> 'dependents' ->> 'kept')
    FROM (SELECT e.key AS name, e.value AS said, row_number() OVER () AS nth FROM jsonb_each_text(p_says -> 'lookups' -> p_lookup -> 'back') e) b
    HAVING count(*) > 0
$$;

-- Writes of the new side that wait and were made since the changes $2, of the source $3: they are told what the old row says still, or they
-- would find that it is not what they were written over.
CREATE OR REPLACE FUNCTION changeover.lookup_behind(p_says jsonb, p_lookup text, p_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        'UPDATE changeover.queue "#q" SET patch = jsonb_set("#q".patch, ARRAY[''set'', %1$L, ''0''], to_jsonb("#w".before)) FROM %2$s '
        'CROSS JOIN LATERAL (SELECT (%3$s)::text AS before, (SELECT (%3$s)::text FROM (SELECT "#l".*) %4$I) AS now OFFSET 0) "#w" '
        'WHERE "#q".source_id = $3 AND "#q".id > (("#c".change ->> ''note'')::bigint) AND "#q".direction = ''reverse'' '
        'AND "#q".key IS NOT NULL AND "#q".patch IS NOT NULL AND "#w".before <> "#w".now AND "#q".patch -> ''set'' -> %1$L ->> 0 = "#w".now '
        'AND EXISTS (SELECT FROM (SELECT "#q".key) "#k", %5$s x WHERE x.ctid = %6$s AND x.%1$I::text = "#w".before)',
        p_name, changeover.lookup_changes(p_says -> 'lookups' -> p_lookup, p_lookup), p_says -> 'lookups' -> p_lookup -> 'back' ->> p_name, p_lookup,
        p_says ->> 'source', p_says -> 'dependents' ->> 'place')
$$;

-- Works off notes of one lookup and direction together. It looks twice: now, and once all have ended who are at work now, since one
-- of them may have read the looked-up row as it was and write what depends on it; who comes later reads what it is.
-- What the way back says: each old row is told, unless it says something new since. What the way there says: rows that led to a changed row, and
-- of those that lead nowhere (rejected, or with an empty column) the ones that lead to it now. So the cost grows with these, and with nothing else,
-- where an index of the target begins with the column that leads to the lookup.
CREATE OR REPLACE FUNCTION changeover.drain_lookup(p_source integer, p_direction text, p_lookup text, p_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_others text[] := changeover.at_work();
    v_says jsonb := changeover.fragments(p_source);
    v_look jsonb := v_says -> 'lookups' -> p_lookup;
    v_now bigint[];
    v_changes jsonb[];
    v_rows jsonb[];
    v_any boolean;
    v_name text;
    v_patched text[] := '{}';
    v_keys text[];
BEGIN
    -- Those whose second look must wait for somebody still.
    WITH later AS (
        DELETE FROM changeover.queue c WHERE c.id = ANY (p_ids) AND c.patch -> 'others' ?| v_others RETURNING c.*
    )
    INSERT INTO changeover.queue (source_id, direction, key, cause, patch, not_before)
    SELECT l.source_id, l.direction, NULL, l.cause, l.patch || jsonb_build_object('others', (
            SELECT jsonb_agg(o.one) FROM jsonb_array_elements_text(l.patch -> 'others') AS o (one) WHERE o.one = ANY (v_others))),
        clock_timestamp() + interval '500 ms'
    FROM later l;
    SELECT array_agg(c.id), coalesce(bool_or(c.patch ? 'any'), false) INTO v_now, v_any FROM changeover.queue c WHERE c.id = ANY (p_ids);
    IF v_now IS NULL THEN
        RETURN 0;
    END IF;
    SELECT array_agg(e.change || jsonb_build_object('seen', c.patch -> 'seen', 'note', c.id) ORDER BY c.id) INTO v_changes
    FROM changeover.queue c CROSS JOIN LATERAL jsonb_array_elements(c.patch -> 'changes') AS e (change) WHERE c.id = ANY (v_now);
    v_rows := ARRAY(SELECT DISTINCT r.one FROM unnest(v_changes) AS e (change)
                    CROSS JOIN LATERAL (VALUES (e.change -> 'old'), (e.change -> 'new')) AS r (one) WHERE jsonb_typeof(r.one) = 'object');
    IF p_direction = 'reverse' AND v_look ? 'back' THEN
        FOR v_name IN SELECT jsonb_array_elements_text(v_look -> 'alone') LOOP
            EXECUTE changeover.lookup_behind(v_says, p_lookup, v_name) USING NULL::text[], v_changes, p_source;
        END LOOP;
        EXECUTE format('WITH told AS (INSERT INTO changeover.queue (source_id, direction, key, cause, patch) '
                       'SELECT $3, ''reverse'', f.key, ''lookup'', f.patch FROM (%s) f RETURNING key) '
                       'SELECT array_agg(t.key) FROM told t', changeover.lookup_back(v_says, p_lookup))
        INTO v_patched USING NULL::text[], v_changes, p_source;
    END IF;
    v_keys := changeover.keys_by_lookup(p_source, p_lookup, 'led', NULL, v_rows, false);
    v_keys := v_keys || changeover.keys_by_lookup(
        p_source, p_lookup, 'to', changeover.keys_by_lookup(p_source, p_lookup, 'nowhere', NULL, NULL, false)
            || ARRAY(SELECT r.key FROM changeover.reject r WHERE r.source_id = p_source AND r.id > 0), v_rows, v_any);
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT DISTINCT p_source, 'forward', k.key, 'lookup' FROM unnest(v_keys) AS k (key)
    WHERE k.key NOT IN (SELECT p.key FROM unnest(v_patched) AS p (key) WHERE p.key IS NOT NULL);

    WITH seen AS (
        DELETE FROM changeover.queue c WHERE c.id = ANY (v_now) RETURNING c.*
    )
    INSERT INTO changeover.queue (source_id, direction, key, cause, patch, not_before)
    SELECT s.source_id, s.direction, NULL, s.cause, s.patch || jsonb_build_object('others', v_others), clock_timestamp() + interval '100 ms'
    FROM seen s WHERE v_others <> '{}' AND NOT s.patch ? 'others';
    RETURN cardinality(v_now);
END
$$;
