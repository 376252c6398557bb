-- What the new side wrote and its mirror could not write back: the drain settles it key by key, whatever kind the mapping is. It is told
-- pieces of SQL (see fragments.sql) over x, the old table, and g, the new one:
--   place                   where the row of the key $1 stands that speaks for it
--   dropped                 SET of an UPDATE of g: without what $2 names as dropped of the old values that were kept
--   settable, shared        columns that an UPDATE may set; those in which all rows of a key say the same, where it may have several
--   made                    the column with the originals, where keys are made by us (see key_map)
--   carried                 SET of an UPDATE of g: the columns that keep a row reversible, from c
-- What it does to one row it asks of mN_put, mN_erase, mN_key, mN_carry and mN_image, which the mirror uses too. A row is
-- handed on within one statement: a variable would keep the type of the first table that it has seen.

-- What an update of the new side changes of the old row, as a patch (see changeover.patch). The row types are those of the target.
CREATE OR REPLACE FUNCTION changeover.patch_of(p_source integer, p_before anyelement, p_after anyelement) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_patch jsonb;
BEGIN
    EXECUTE format('SELECT changeover.patch(changeover.m%1$s_image($1), changeover.m%1$s_image($2), $3)', p_source)
    INTO v_patch
    USING p_before, p_after, ARRAY(SELECT jsonb_array_elements_text(changeover.fragments(p_source) -> 'settable'));
    RETURN v_patch;
END
$$;

-- The UPDATE of the row x at $2 that sets the columns of $1 ({column: value as text}), whose names are those of p_values.
CREATE OR REPLACE FUNCTION changeover.setting(p_table text, p_values jsonb) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT format('UPDATE %s x SET %s WHERE x.ctid = $2 RETURNING x.ctid', p_table, string_agg(
        format('%1$I = ($1 ->> %1$L)::%2$s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '))
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = p_table::regclass AND a.attnum > 0 AND NOT a.attisdropped AND p_values ? a.attname::text
$$;

-- Applies a patch ({column: [before, after]}) to the row of a key: compare and set, column by column. The caller has locked the rows of the key.
CREATE OR REPLACE FUNCTION changeover.mend(p_source integer, p_says jsonb, p_key text, p_patch jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
    v_table text := p_says ->> 'source';
    v_row tid;
    v_written tid[];
    v_taken jsonb;
    v_same boolean;
BEGIN
    PERFORM set_config('changeover.origin', format('m%s:r', p_source), true);
    PERFORM set_config('changeover.putting', ARRAY[p_key]::text, true);
    EXECUTE 'SELECT ' || (p_says ->> 'place') INTO v_row USING p_key;
    EXECUTE (
        SELECT format('SELECT ''{}''::jsonb%s FROM %s x WHERE x.ctid = $2', string_agg(format(
            ' || CASE WHEN x.%1$I::text IS NOT DISTINCT FROM ($1 -> %1$L ->> 0) THEN jsonb_build_object(%1$L, $1 -> %1$L -> 1) ELSE ''{}'' END',
            s.name), ''), v_table)
        FROM jsonb_array_elements_text(p_says -> 'settable') AS s (name) WHERE p_patch ? s.name)
    INTO v_taken USING p_patch, v_row;
    IF v_taken <> '{}' THEN
        EXECUTE changeover.setting(v_table, v_taken) INTO v_row USING v_taken, v_row;
        -- Another row of the key may speak for it now: because this one says something else, or stands behind it. What the
        -- new side has said of the key holds all the same, so that row says it too. One that must not is left as it is.
        v_taken := (SELECT jsonb_object_agg(t.key, t.value) FROM jsonb_each(v_taken) t WHERE p_says -> 'shared' ? t.key);
        IF v_taken IS NOT NULL AND v_row IS NOT NULL THEN
            BEGIN
                LOOP
                    EXECUTE format('SELECT EXISTS (SELECT FROM %s x WHERE x.ctid = $2 AND %s)', v_table, p_says ->> 'of_keys')
                    INTO v_same USING ARRAY[p_key], v_row;
                    EXIT WHEN v_same IS NOT TRUE;
                    v_written := v_written || v_row;
                    EXECUTE 'SELECT ' || (p_says ->> 'place') INTO v_row USING p_key;
                    EXIT WHEN (v_row <> ALL (v_written)) IS NOT TRUE;
                    EXECUTE changeover.setting(v_table, v_taken) INTO v_row USING v_taken, v_row;
                END LOOP;
            EXCEPTION WHEN integrity_constraint_violation OR data_exception OR feature_not_supported OR raise_exception THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
            END;
        END IF;
    END IF;
    PERFORM changeover.check_constraints(ARRAY[v_table::regclass]::oid[]);
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
END
$$;

-- Before anything else the row gets the originals that it should have been written with: nothing that reads it later can tell what it was before.
-- It is the row as it stands now, of which later writes may have changed more. Returns the patch, which speaks of that row then.
CREATE OR REPLACE FUNCTION changeover.carry_again(p_source integer, p_says jsonb, p_patch jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_is_it text := format('g.%I = CAST($1 AS %s)', p_says ->> 'target_key', p_says ->> 'key_type');
    v_before text := format('jsonb_populate_record(CAST(NULL AS %s), nullif($2 -> ''carry'', ''null''))', p_says ->> 'target');
    v_rows bigint;
    v_set jsonb;
BEGIN
    EXECUTE format('SELECT FROM %s g WHERE %s AND %s FOR NO KEY UPDATE', p_says ->> 'target', v_is_it, p_says ->> 'mine')
    USING p_patch ->> 'id';
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows = 0 THEN
        RETURN p_patch;
    END IF;
    PERFORM set_config('changeover.origin', changeover.forward_origin(p_source), true);
    EXECUTE format(
        'UPDATE %1$s g SET %2$s FROM (SELECT c.* FROM %1$s g, %3$s b, LATERAL changeover.m%4$s_carry(b, g, $2 -> ''carry'' = ''null'') c '
        'WHERE %5$s OFFSET 0) c WHERE %5$s', p_says ->> 'target', p_says ->> 'carried', v_before, p_source, v_is_it)
    USING p_patch ->> 'id', p_patch;
    PERFORM set_config('changeover.origin', v_origin, true);
    IF p_patch ? 'set' THEN
        EXECUTE format('SELECT changeover.patch_of(%s, b, g) FROM %s g, %s b WHERE %s', p_source, p_says ->> 'target', v_before, v_is_it)
        INTO v_set USING p_patch ->> 'id', p_patch;
        RETURN p_patch || jsonb_build_object('set', v_set);
    END IF;
    RETURN p_patch;
END
$$;

-- A row of the new side that could not get its key, or of which a writer did not see that it has one ({"whole": its id}). Returns its
-- key where it has come to one since, and whether it is still there; where it is gone, the key that it had. Without a key it is made again, and
-- there is nothing more to do.
CREATE OR REPLACE FUNCTION changeover.write_back_keyless(p_source integer, p_says jsonb, p_id text, OUT v_key text, OUT v_found boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_target text := p_says ->> 'target';
    v_is_it text := format('g.%I = CAST($1 AS %s)', p_says ->> 'target_key', p_says ->> 'key_type');
    v_its_key text := format('SELECT changeover.m%s_key(g) FROM %s g WHERE %s', p_source, v_target, v_is_it);
    v_put text := format('SELECT changeover.m%s_put(NULL, g, true) FROM %s g WHERE %s', p_source, v_target, v_is_it);
    v_rows bigint;
    v_again boolean;
    v_now text;
BEGIN
    EXECUTE v_its_key || ' AND ' || (p_says ->> 'mine') INTO v_key USING p_id;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_found := v_rows > 0;
    IF NOT v_found THEN
        v_key := (SELECT b.key FROM changeover.key_map b WHERE b.source_id = p_source AND b.target_key = p_id);
    END IF;
    IF v_key IS NOT NULL OR NOT v_found THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT FROM %s g WHERE %s FOR NO KEY UPDATE', v_target, v_is_it) USING p_id;
    EXECUTE v_its_key INTO v_now USING p_id;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows = 0 OR v_now IS NOT NULL THEN
        RETURN;
    END IF;
    BEGIN
        EXECUTE v_put INTO v_again USING p_id;
    EXCEPTION WHEN unique_violation THEN
        -- Somebody has taken the key that it was to get, or it got none: it is made reversible anew, with another.
        PERFORM set_config('changeover.origin', changeover.forward_origin(p_source), true);
        EXECUTE format(
            'UPDATE %1$s g SET %2$s = c.%2$s FROM (SELECT c.* FROM %1$s g, LATERAL changeover.m%3$s_carry(NULL, g, true) c '
            'WHERE %4$s OFFSET 0) c WHERE %4$s', v_target, p_says ->> 'made', p_source, v_is_it) USING p_id;
        PERFORM set_config('changeover.origin', v_origin, true);
        EXECUTE v_put INTO v_again USING p_id;
    END;
    IF v_again THEN
        EXECUTE v_its_key INTO v_now USING p_id;
        PERFORM changeover.apply(p_source, ARRAY[v_now]);
    END IF;
END
$$;

-- Settles one key of a source whose rows become many: what waits as {"parent": id, "set": {item: [before, after]}}, compare and set; without
-- that, every column of the source row that the target has a value for, or should, unless the old side has news of it.
-- A parent that could not be written back itself yet is waited for; one that is gone has taken its rows with it.
--   parent, parent_type, item   columns of the target, and the type of the first; children, the condition for the rows g of k.key
--   orphan                    the condition for a row g without a parent
--   items, value, absent      the items; what a row g says; what is said where there is none
--   before, after             the two values of $3
CREATE OR REPLACE FUNCTION changeover.write_back_items(p_source integer, p_says jsonb, p_key text, p_patch jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_key text := p_key;
    v_of_item text := format('%s g WHERE %s AND g.%I = i.item', p_says ->> 'target', p_says ->> 'children', p_says ->> 'item');
    v_rows bigint;
    v_row record;
BEGIN
    IF p_patch ? 'parent' THEN
        EXECUTE format('SELECT f.key FROM changeover.x%s_source_of(CAST($1 AS %s)) f WHERE f.source = $2',
                       (SELECT z.mapping_id FROM changeover.source z WHERE z.id = p_source), p_says ->> 'parent_type')
        INTO v_key USING p_patch ->> 'parent', p_source;
    END IF;
    EXECUTE format('SELECT FROM %s x WHERE %s FOR NO KEY UPDATE', p_says ->> 'source', p_says ->> 'of_keys') USING ARRAY[v_key];
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows = 0 AND p_patch IS NOT NULL THEN
        IF EXISTS (SELECT FROM changeover.queue c JOIN changeover.source z ON z.id = c.source_id
                   WHERE z.oid = (SELECT y.oid FROM changeover.source y WHERE y.id = p_source) AND c.direction = 'reverse'
                     AND c.patch ? 'whole' AND c.key IN (v_key, p_patch ->> 'parent')) THEN
            RAISE EXCEPTION 'the parent % waits itself', p_patch ->> 'parent' USING ERRCODE = 'no_data_found';
        END IF;
        EXECUTE format('DELETE FROM %s g WHERE g.%I = CAST($1 AS %s) AND %s',
                       p_says ->> 'target', p_says ->> 'parent', p_says ->> 'parent_type', p_says ->> 'orphan') USING p_patch ->> 'parent';
    ELSIF p_patch IS NOT NULL THEN
        FOR v_row IN SELECT e.key, e.value FROM jsonb_each(p_patch -> 'set') e LOOP
            EXECUTE format('SELECT changeover.m%s_put($1, $2, true, %s, %s)', p_source, p_says ->> 'before', p_says ->> 'after')
            USING v_key, v_row.key, v_row.value;
        END LOOP;
        PERFORM changeover.apply(p_source, ARRAY[v_key]);
    ELSIF NOT EXISTS (SELECT FROM changeover.queue c
                      WHERE c.source_id = p_source AND c.direction = 'forward' AND c.key = p_key)
        AND NOT EXISTS (SELECT FROM changeover.queue c
                        WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'forward' AND c.key IS NULL)
    THEN
        EXECUTE format($sql$
            SELECT count(changeover.m%1$s_put($1, i.item, false, NULL, coalesce((SELECT %2$s FROM %3$s), %4$s)))
            FROM unnest($2) AS i (item), (SELECT $1 AS key) k
            WHERE EXISTS (SELECT FROM %3$s)
               OR EXISTS (SELECT FROM changeover.m%1$s_new_rows(ARRAY[$1]) d WHERE d."#reason" IS NULL AND d.%5$I = i.item)$sql$,
            p_source, p_says ->> 'value', v_of_item, p_says ->> 'absent', p_says ->> 'item')
        USING p_key, ARRAY(SELECT jsonb_array_elements_text(p_says -> 'items'));
    END IF;
END
$$;

-- Settles one key of the reverse mirror. The source row is locked first, as every writer of the old side does: then none of them is in between.
--   {"set": {column: [before, after]}}  a hindered update: compare and set
--   {"erase": image}                    a hindered deletion
--   {"set": ..., "key": new key}        a hindered update that changes the key
--   {"whole": target key}               a hindered insert; with "set" too, an update of a row that had no key yet
--   {"drop": [columns], "set": ...}     the way back gives something else now: what was kept of the old values goes
--   {"carry": row before, "id": ..., ...}   its originals could not be kept true when it was written: that comes first
--   NULL                                make the source row what the target says, unless the old side has news
-- The target is derived again afterwards, as a queued key: it may be a reject, and that is no reason to go back on this.
-- The caller, who has many keys, has asked the fragments once.
CREATE OR REPLACE FUNCTION changeover.write_back(p_source integer, p_says jsonb, p_key text, p_patch jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_source text := p_says ->> 'source';
    v_meant text := format('%s g WHERE %s', p_says ->> 'target', p_says ->> 'meant');
    v_row tid;
    v_found boolean;
    v_key text;
    v_waiting boolean;
    v_rows bigint;
    v_again boolean := true;
BEGIN
    PERFORM set_config('search_path', p_says ->> 'path', true);
    IF p_says ? 'children' THEN
        PERFORM changeover.write_back_items(p_source, p_says, p_key, p_patch);
        RETURN;
    END IF;
    IF p_patch ? 'carry' AND p_says ? 'carried' THEN
        p_patch := changeover.carry_again(p_source, p_says, p_patch);
    END IF;
    IF p_patch ? 'whole' AND p_says ? 'made' THEN
        SELECT k.v_key, k.v_found INTO v_key, v_found FROM changeover.write_back_keyless(p_source, p_says, p_patch ->> 'whole') k;
        IF v_key IS NULL THEN
            RETURN;
        ELSIF NOT (v_found AND p_patch ? 'set') THEN
            PERFORM changeover.write_back(p_source, p_says, v_key, NULL);
            RETURN;
        END IF;
        p_key := v_key;
    END IF;
    EXECUTE format('SELECT FROM %s x WHERE %s FOR NO KEY UPDATE OF x', v_source, p_says ->> 'of_keys') USING ARRAY[p_key];
    -- A view has no ctid: where contract has put one in the table's place while this waited for a lock, it is an error and waits in queue. The
    -- view shows the new side's own row, in which there is nothing left to write.
    EXECUTE 'SELECT ' || (p_says ->> 'place') INTO v_row USING p_key;
    v_found := v_row IS NOT NULL;
    IF p_patch ? 'erase' THEN
        EXECUTE format('SELECT changeover.m%s_erase($1, $2)', p_source) USING p_key, p_patch -> 'erase';
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (p_source, 'forward', p_key, 'returned');
        RETURN;
    ELSIF p_patch ? 'set' THEN
        IF p_patch ? 'drop' THEN
            PERFORM set_config('changeover.origin', changeover.forward_origin(p_source), true);
            EXECUTE format('UPDATE %s g SET %s WHERE %s', p_says ->> 'target', p_says ->> 'dropped', p_says ->> 'meant') USING p_key, p_patch;
            PERFORM set_config('changeover.origin', v_origin, true);
        END IF;
        IF v_found THEN
            PERFORM changeover.mend(p_source, p_says, p_key, p_patch -> 'set');
        END IF;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT p_source, 'forward', k.key, 'returned'
        FROM unnest(ARRAY[p_key, p_patch ->> 'key']) AS k (key) WHERE k.key IS NOT NULL;
        RETURN;
    ELSIF p_patch ? 'whole' THEN
        -- If it has changed its key since, that waits behind: there is nothing to change yet, it is made under the new one.
        UPDATE changeover.queue c SET key = c.patch ->> 'key', patch = jsonb_build_object('whole', c.patch ->> 'key')
        WHERE c.id = (SELECT min(e.id) FROM changeover.queue e
                      WHERE e.source_id = p_source AND e.direction = 'reverse' AND e.key = p_key AND e.patch ->> 'key' IS NOT NULL);
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    v_waiting := EXISTS (SELECT FROM changeover.queue c
                         WHERE c.source_id = p_source AND c.direction = 'forward' AND c.key = p_key)
        OR EXISTS (SELECT FROM changeover.queue c
                   WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'forward' AND c.key IS NULL);
    EXECUTE format('SELECT FROM %s FOR NO KEY UPDATE OF g', v_meant) USING p_key;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows = 0 THEN
        -- A rejected row stands for nothing in the target. Of several with one key all but one are.
        EXECUTE format('SELECT count(*) FROM %s x WHERE %s', v_source, p_says ->> 'of_keys') INTO v_rows USING ARRAY[p_key];
        IF p_patch IS NULL AND NOT v_waiting
            AND v_rows > (SELECT count(*) FROM changeover.reject r WHERE r.source_id = p_source AND r.key = p_key)
        THEN
            -- Its rejects are settled with those of many keys: after a TRUNCATE of the new table there are as many as rows.
            EXECUTE format('SELECT changeover.m%s_erase($1, NULL)', p_source) USING p_key;
            INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (p_source, 'forward', p_key, 'returned');
        END IF;
        RETURN;
    ELSIF NOT v_found OR p_patch IS NULL AND NOT v_waiting THEN
        EXECUTE format('SELECT changeover.m%s_put(NULL, g, true) FROM %s', p_source, v_meant) INTO v_again USING p_key;
    END IF;
    IF v_again THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (p_source, 'forward', p_key, 'returned');
    END IF;
END
$$;
