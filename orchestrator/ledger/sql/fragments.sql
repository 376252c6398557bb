-- What a mapping says of a source, for the functions that serve every source: mN_fragments() gives pieces of SQL that are compiled for it
-- and stand in the body of that function, where only its owner can change them. Over x, the old table, and g, the new one:
--   path, source, target      the search_path of the plan's expressions, and the two tables
--   key, row                  of a row x: its key as text, the whole row
--   blank                     where it is there, an empty text is a key like any other; else it stands for NULL, which is none
--   of_keys                   the condition for the rows x of the keys $1
--   lock, written             statements that lock the rows of the keys $1; the tables that a derivation writes
--   target_key, key_type      the key of the target
--   id_of                     its value for k.key, a key as text; or meant, the condition for the row g of the key $1
--   own, alive                the conditions for a row g: it is of this source; it has an old row at all
--   exempt                    the column with the rules that a row is exempt from
--   remove, remove_all        statements that take out what came from the keys $1, or from all, where it is not done by these
--   left_over                 the query
--   children                  where one row becomes many: the condition for the rows g of k.key
--   park                      which rows of the target a derivation writes whole, and the columns
--   returns, sync_reverse     true where what the new side writes goes back by write_back, or by mN_sync_reverse
--   and see applying.sql, writing_back.sql
-- A kind that has no use for one does not have it, or has a function of that name.

-- They are evaluated under the plan's path: the caller is a function that sets search_path, and so gives it back.
CREATE OR REPLACE FUNCTION changeover.fragments(p_source integer) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_fragments jsonb;
BEGIN
    EXECUTE format('SELECT changeover.m%s_fragments()', p_source) INTO v_fragments;
    PERFORM set_config('search_path', v_fragments ->> 'path', true);
    IF v_fragments ? 'own' THEN  -- together, the condition for a row g that came from this source, also of the key $1
        v_fragments := v_fragments || jsonb_build_object('mine', format('%s AND %s', v_fragments ->> 'own', coalesce(v_fragments ->> 'alive', 'true')));
        v_fragments := v_fragments || jsonb_build_object('meant', format('%s AND %s', coalesce(v_fragments ->> 'meant', format(
            'g.%I = (SELECT %s FROM (SELECT $1 AS key) k)', v_fragments ->> 'target_key', v_fragments ->> 'id_of')), v_fragments ->> 'mine'));
    END IF;
    RETURN v_fragments;
END
$$;

-- Whether a fragment of that name is there.
CREATE OR REPLACE FUNCTION changeover.says(p_source integer, p_name text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN changeover.fragments(p_source) ? p_name;
END
$$;

-- Rows of a source: of some keys, at some places, on some pages, or all; what is not asked for is NULL. With p_whole, the row, and
-- whether its key stands in the target; where that is NULL, not even the key is computed. The version of a row that somebody is about
-- to change is NULL.
CREATE OR REPLACE FUNCTION changeover.source_rows(
    p_source integer, p_keys text[], p_places tid[], p_from tid, p_to tid, p_whole boolean
) RETURNS TABLE (place tid, key text, version text, "row" jsonb, stands boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT x.ctid, %s, CASE WHEN x.xmax = 0 THEN x.xmin::text END, %s, %s FROM %s x WHERE true',
        CASE WHEN p_whole IS NULL THEN 'NULL::text' ELSE v_says ->> 'key' END,
        CASE WHEN p_whole THEN v_says ->> 'row' ELSE 'NULL::jsonb' END,
        CASE WHEN p_whole IS NOT TRUE THEN 'NULL::boolean' WHEN v_says ? 'id_of' THEN
            format('EXISTS (SELECT FROM %s g, (SELECT %s AS key) k WHERE g.%I = %s AND %s)', v_says ->> 'target', v_says ->> 'key',
                   v_says ->> 'target_key', v_says ->> 'id_of', v_says ->> 'mine')
        ELSE 'false' END,
        v_says ->> 'source')
        || CASE WHEN p_keys IS NULL THEN '' ELSE ' AND ' || (v_says ->> 'of_keys') END
        || CASE WHEN p_places IS NULL THEN '' ELSE ' AND x.ctid = ANY ($2)' END
        || CASE WHEN p_from IS NULL THEN '' ELSE ' AND x.ctid >= $3 AND x.ctid < $4' END
    USING p_keys, p_places, p_from, p_to;
END
$$;

-- Both sides agree for these keys, for whoever is not a writer of the rows: the drain, the repair, the replay. Locking the source rows before they
-- are read puts it in the place of a writer: the mirror of a concurrent write comes before it or after it, never in between.
CREATE OR REPLACE FUNCTION changeover.sync(p_source integer, p_keys text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
    v_lock text;
BEGIN
    IF v_says ? 'lock' THEN
        FOR v_lock IN SELECT l.statement FROM jsonb_array_elements_text(v_says -> 'lock') AS l (statement) LOOP
            EXECUTE v_lock USING p_keys;
        END LOOP;
        PERFORM changeover.apply(p_source, p_keys);
        -- Now, and not at COMMIT: whoever has called this still knows what to do about a violation.
        PERFORM changeover.check_constraints(ARRAY(
            SELECT w.name::regclass::oid FROM jsonb_array_elements_text(v_says -> 'written') AS w (name)));
    ELSE
        EXECUTE format('SELECT changeover.m%s_sync($1)', p_source) USING p_keys;
    END IF;
    PERFORM changeover.brought_back(p_source, p_keys);
END
$$;

-- Takes out of the target what came from this source for some keys, or all of it where they are NULL.
CREATE OR REPLACE FUNCTION changeover.remove(p_source integer, p_keys text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
    v_statement text := v_says ->> CASE WHEN p_keys IS NULL THEN 'remove_all' ELSE 'remove' END;
BEGIN
    IF v_statement IS NULL AND v_says ? 'id_of' THEN
        v_statement := format('DELETE FROM %s g WHERE %s', v_says ->> 'target', v_says ->> 'mine')
            || CASE WHEN p_keys IS NULL THEN '' ELSE
                format(' AND g.%I IN (SELECT %s FROM unnest($1) AS k (key))', v_says ->> 'target_key', v_says ->> 'id_of') END;
    END IF;
    IF v_statement IS NOT NULL THEN
        EXECUTE v_statement USING p_keys;
    END IF;
    IF p_keys IS NULL THEN
        PERFORM changeover.release(p_source, NULL);
    END IF;
END
$$;

-- Keys of what stands in the target and of no row in the source, so far as the target tells them.
CREATE OR REPLACE FUNCTION changeover.left_over(p_source integer) RETURNS TABLE (key text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
BEGIN
    IF v_says ? 'left_over' THEN
        RETURN QUERY EXECUTE v_says ->> 'left_over';
    END IF;
END
$$;

-- How many rows are derived from the rows at these places, without those of rejected keys. A row that cannot be derived at all counts for
-- none: then they are counted one by one.
CREATE OR REPLACE FUNCTION changeover.count_derived(p_source integer, p_places tid[]) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_count bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM changeover.m%s_new_rows(NULL, $1) d WHERE d."#reason" IS NULL '
                   'AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = $2 AND r.key = d."#key")', p_source)
    INTO v_count USING p_places, p_source;
    RETURN v_count;
EXCEPTION WHEN OTHERS THEN
    IF changeover.passes_on(SQLSTATE) THEN
        RAISE;
    END IF;
    RETURN CASE WHEN cardinality(p_places) = 1 THEN 0 ELSE
        (SELECT sum(changeover.count_derived(p_source, ARRAY[u.place])) FROM unnest(p_places) AS u (place)) END;
END
$$;

-- The counting rule in one snapshot: rows in the source = rows of the target that came from it + rejects. Kinds of which it cannot be asked
-- by one query have a function of their own.
CREATE OR REPLACE FUNCTION changeover.count_rows(p_source integer)
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
    v_places tid[];
BEGIN
    IF v_says ? 'children' THEN
        -- Of several rows with one key only the first counts, so that its rows in the target count once.
        v_places := ARRAY(SELECT k.place FROM changeover.source_rows(p_source, NULL, NULL, NULL, NULL, NULL) k);
        legacy := 0;
        FOR v_first IN 1 .. cardinality(v_places) BY 5000 LOOP
            legacy := legacy + changeover.count_derived(p_source, v_places[v_first : v_first + 4999]);
        END LOOP;
        EXECUTE format($sql$
            SELECT count(*) FROM (SELECT DISTINCT r.key FROM changeover.source_rows($1, NULL, NULL, NULL, NULL, false) r) k
            JOIN %s g ON %s
            WHERE NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = $1 AND r.key = k.key)$sql$,
            v_says ->> 'target', v_says ->> 'children') INTO migrated USING p_source;
        rejected := 0;
        exempt := 0;
        RETURN NEXT;
    ELSIF v_says ? 'mine' THEN
        RETURN QUERY EXECUTE format($sql$
            SELECT (SELECT count(*) FROM %s), t.migrated, (SELECT count(*) FROM changeover.reject r WHERE r.source_id = $1 AND r.id > 0), t.exempt
            FROM (SELECT count(*) AS migrated, count(*) FILTER (WHERE %s) AS exempt FROM %s g WHERE %s) t$sql$,
            v_says ->> 'source', CASE WHEN v_says ? 'exempt' THEN format('g.%I <> ''{}''', v_says ->> 'exempt') ELSE 'false' END,
            v_says ->> 'target', v_says ->> 'mine') USING p_source;
    ELSE
        RETURN QUERY EXECUTE format('SELECT c.* FROM changeover.m%s_count() c', p_source);
    END IF;
END
$$;

-- Values that only one row may have are put out of the way (C11): of the target's rows of these keys, of those that a derivation writes whole.
CREATE OR REPLACE FUNCTION changeover.park_keys(p_source integer, p_keys text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
    v_park jsonb := v_says -> 'park';
BEGIN
    PERFORM changeover.park(
        (v_says ->> 'target')::regclass,
        ARRAY(SELECT jsonb_array_elements_text(v_park -> 'same')), ARRAY(SELECT jsonb_array_elements_text(v_park -> 'columns')),
        v_park ->> 'rows', v_park ->> 'which', p_keys);
END
$$;

-- The same of the source's row of one key, for a patch of the new side that waits: the patch that finds the row as it is now.
CREATE OR REPLACE FUNCTION changeover.park_key(p_source integer, p_key text, p_patch jsonb, p_nth bigint) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off AS $$
DECLARE
    v_says jsonb := changeover.fragments(p_source);
BEGIN
    RETURN changeover.park_patch((v_says ->> 'source')::regclass, v_says ->> 'of_keys', p_key, p_patch, p_nth);
END
$$;
