-- What the mirrors call that does not depend on a mapping: their bookkeeping and their manners. One copy of each serves every
-- mirror, so a session plans it once. C1, C2, ... are the rules of docs/concurrency.md. They run with the settings that the calling trigger function has pinned.

-- How long a mirror may wait for a lock, as a value of lock_timeout: less than half of deadlock_timeout (1 s), as the lock of a
-- row can take two waits (its queue and its holder), so that of a circle of waits the mirror gives way; longer than our own DDL, behind which it may stand in a queue; never longer than half
-- of what the session's own lock_timeout allows, nor beyond half of the time that its statement may take (C2, C3).
CREATE OR REPLACE FUNCTION changeover.patience() RETURNS text
LANGUAGE sql VOLATILE
RETURN greatest(1, floor(least(
    450,
    nullif(extract(epoch FROM current_setting('lock_timeout')::interval), 0) * 500,
    nullif(extract(epoch FROM current_setting('statement_timeout')::interval), 0) * 500
        - extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)))::text || 'ms';

-- Sets it, and tells what it was: the mirror gives that back.
CREATE OR REPLACE FUNCTION changeover.wait_less() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_before text := current_setting('lock_timeout');
    v_set text;
BEGIN
    IF v_before = '0' AND current_setting('statement_timeout') = '0' THEN
        v_set := set_config('lock_timeout', '450ms', true);
    ELSE
        v_set := set_config('lock_timeout', changeover.patience(), true);
    END IF;
    RETURN v_before;
END
$$;

-- Leaves keys to the drain. True, so that it can be called in an expression.
CREATE OR REPLACE FUNCTION changeover.leave(p_source integer, p_keys text[], p_cause text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT p_source, 'forward', k.key, p_cause FROM unnest(p_keys) AS k (key);
    RETURN true;
END
$$;

-- The same while a batch may be under way that has read what is changed now and brings it back.
CREATE OR REPLACE FUNCTION changeover.leave_while_copying(p_source integer, p_keys text[], p_cause text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT p_source, 'forward', k.key, p_cause FROM unnest(p_keys) AS k (key)
    WHERE EXISTS (SELECT FROM changeover.source z WHERE z.id = p_source AND z.state NOT IN ('copied', 'archived'));
    RETURN true;
END
$$;

-- A write that the forward mirror leaves to the drain: true where it has done so. What the reverse mirror itself is writing
-- back is known already; other keys that it touches (a trigger of the application, a value that only one may have) wait: the
-- statement of the new side may have written them too, and its rows are written back one by one. Derived now, such a row would
-- be what it was before the statement. With them waits what is being written: a value that only one may have can go from it to
-- them, and it gives that up only when it is derived again. A writer in SERIALIZABLE is not drawn into conflicts over rows it never asked for (C5).
CREATE OR REPLACE FUNCTION changeover.left_alone(p_source integer, p_reverse text, p_keys text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_waiting text[] := '{}';
BEGIN
    IF current_setting('changeover.origin', true) = p_reverse THEN
        IF EXISTS (SELECT FROM unnest(p_keys) AS k (key)
                   WHERE k.key <> ALL (current_setting('changeover.putting')::text[])) THEN
            v_waiting := array_remove(p_keys, NULL);
        END IF;
        RETURN changeover.leave(p_source, v_waiting, 'returned');
    ELSIF current_setting('transaction_isolation') = 'serializable' THEN
        RETURN changeover.leave(p_source, p_keys, 'serializable');
    END IF;
    RETURN false;
END
$$;

-- Whether the keys of a statement are to be looked at once more. A column that the mirror does not know: the runner compiles it
-- anew and derives the rows again. And a batch may have rejected the row after this transaction's snapshot: the reject cannot be
-- seen from here.
CREATE OR REPLACE FUNCTION changeover.looked_at_again(p_source integer, p_keys text[], p_new_column boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF p_new_column THEN
        RETURN changeover.leave(p_source, p_keys, 'new column');
    ELSIF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN changeover.leave_while_copying(p_source, p_keys, 'snapshot');
    END IF;
    RETURN false;
END
$$;

-- Whether one of these tables has a constraint that may be deferred. Constraints come and go after a mirror is compiled.
CREATE OR REPLACE FUNCTION changeover.deferrable(p_tables oid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ANY (p_tables) AND t.tgdeferrable);
END
$$;

-- Checks the deferred constraints of these tables now: a violation that is told at COMMIT fails the application's transaction,
-- outside of every block of a mirror that could keep it away. The subtransaction is undone, so the application finds its own
-- SET CONSTRAINTS as it was, and what was checked is checked again at COMMIT (C12).
CREATE OR REPLACE FUNCTION changeover.check_constraints(p_tables oid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_names text;
BEGIN
    SELECT string_agg(DISTINCT format('%I.%I', n.nspname, c.conname), ', ') INTO v_names
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_constraint c ON c.oid = t.tgconstraint
    JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
    WHERE t.tgrelid = ANY (p_tables) AND t.tgdeferrable;
    IF v_names IS NULL THEN
        RETURN true;
    END IF;
    BEGIN
        EXECUTE 'SET CONSTRAINTS ' || v_names || ' IMMEDIATE';
        RAISE EXCEPTION USING ERRCODE = 'CHGOK';
    EXCEPTION WHEN SQLSTATE 'CHGOK' THEN
        RETURN true;
    END;
END
$$;

-- What is known of these keys and of the tables that the mirror writes. 1: something of the new side waits; where the target's
-- keys are made by us, it may wait under the target's key; a change of a looked-up row waits under none. 2: a constraint may be deferred (see deferrable). 4: there is a reject. 8: some row
-- of any source is rejected for a foreign key.
CREATE OR REPLACE FUNCTION changeover.circumstances(p_source integer, p_keys text[], p_made boolean, p_tables oid[]) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN EXISTS (SELECT FROM changeover.queue c
                             WHERE c.source_id = p_source AND c.key = ANY (p_keys) AND c.direction = 'reverse')
                  OR p_made AND EXISTS (SELECT FROM changeover.queue c
                                        WHERE c.source_id = p_source AND c.id > 0 AND c.direction = 'reverse'
                                          AND c.patch IS NOT NULL)
                  OR EXISTS (SELECT FROM changeover.queue c
                             WHERE c.source_id = p_source AND c.id > 0 AND c.key IS NULL AND c.direction = 'reverse')
           THEN 1 ELSE 0 END
         + CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ANY (p_tables) AND t.tgdeferrable)
           THEN 2 ELSE 0 END
         + CASE WHEN EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = p_source AND r.key = ANY (p_keys))
           THEN 4 ELSE 0 END
         + CASE WHEN EXISTS (SELECT FROM changeover.reject r WHERE r.reason = 'foreign_key_violation' AND r.id > 0)
           THEN 8 ELSE 0 END;
END
$$;

-- Old rows that are rejected no more: migrated as they are now, or deleted.
CREATE OR REPLACE FUNCTION changeover.unreject(p_source integer, p_keys text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM changeover.reject r WHERE r.source_id = p_source AND r.key = ANY (p_keys);
    RETURN changeover.brought_back(p_source, p_keys);
END
$$;

-- What an update of the new side changes of an old row, as {column: [before, after]}. The rows are given as text, column by column.
CREATE OR REPLACE FUNCTION changeover.patch(p_before jsonb, p_after jsonb, p_columns text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(b.key, jsonb_build_array(b.value, p_after -> b.key)), '{}')
    FROM jsonb_each(p_before) b
    WHERE b.key = ANY (p_columns) AND b.value IS DISTINCT FROM p_after -> b.key
$$;

-- Of an old row that was, as text, column by column: what another one does not say.
CREATE OR REPLACE FUNCTION changeover.lost(p_said jsonb, p_stands jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(s.key, s.value), '{}')
    FROM jsonb_each(p_said) s WHERE s.value IS DISTINCT FROM p_stands -> s.key
$$;

-- Whether a row that is ahead ("~" of its originals) is known to differ in a column from what the old schema says of it.
CREATE OR REPLACE FUNCTION changeover.known(p_ahead jsonb, p_name text, p_said text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(p_ahead ? p_name AND p_ahead ->> p_name IS NOT DISTINCT FROM p_said, false);

-- Whether a trigger of the application may fill a column before a new row of this table is stored.
CREATE OR REPLACE FUNCTION changeover.filled_by_trigger(p_table regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid = p_table AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 7 = 7  -- ROW, BEFORE, INSERT
          AND p.pronamespace <> 'changeover'::regnamespace)
$$;

-- Keys of the new table that are free again: rows of other sources of the mapping that were rejected because one was taken are looked at
-- again. A source whose keys are of another type knows the row by a key that key_map has. No keys: all of them. Branches, so that some keys
-- are never looked for among all.
CREATE OR REPLACE FUNCTION changeover.release(p_source integer, p_keys text[]) RETURNS boolean
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_free text[] := p_keys || ARRAY(SELECT b.target_key FROM changeover.key_map b WHERE b.key = ANY (p_keys) AND b.source_id = p_source);
BEGIN
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT DISTINCT r.source_id, 'forward', r.key, 'released'
    FROM (
        SELECT e.source_id, e.key FROM changeover.reject e WHERE e.reason = 'id_taken' AND e.key = ANY (v_free)
        UNION ALL
        SELECT e.source_id, e.key
        FROM changeover.key_map b JOIN changeover.reject e ON e.source_id = b.source_id AND e.key = b.key AND e.reason = 'id_taken'
        WHERE b.target_key = ANY (v_free)
        UNION ALL
        SELECT e.source_id, e.key FROM changeover.reject e WHERE e.reason = 'id_taken' AND p_keys IS NULL AND e.id > 0
    ) r
    JOIN changeover.source z ON z.id = r.source_id AND z.id <> p_source
        AND z.mapping_id = (SELECT y.mapping_id FROM changeover.source y WHERE y.id = p_source);
    RETURN true;
END
$$;

-- The rows that these keys stand for are in the target: rows of other sources that were rejected because one of them was missing are
-- looked at again (C19). The reject says which: "Key (column)=(value) is not present", in whatever language; where it does not, it is looked at.
CREATE OR REPLACE FUNCTION changeover.brought_back(p_source integer, p_keys text[]) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary FROM CURRENT SET standard_conforming_strings = on SET array_nulls = on SET row_security = off
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_says jsonb;
    v_key record;
    v_rows text;
BEGIN
    IF NOT EXISTS (SELECT FROM changeover.reject r WHERE r.reason = 'foreign_key_violation' AND r.id > 0) THEN
        RETURN true;
    END IF;
    v_says := changeover.fragments(p_source);
    IF NOT v_says ? 'id_of' AND NOT EXISTS (SELECT FROM changeover.source z JOIN changeover.mapping m ON m.id = z.mapping_id
                                            WHERE z.id = p_source AND m.kind = 'merge') THEN
        RETURN true;
    END IF;
    v_rows := format('%s g JOIN (SELECT %s AS id FROM unnest($1) AS k (key)) k ON g.%I = k.id WHERE %s',
                     v_says ->> 'target', coalesce(v_says ->> 'id_of', 'k.key'), v_says ->> 'target_key', v_says ->> 'mine');
    FOR v_key IN
        SELECT (SELECT string_agg(format('g.%I::text', a.attname), $s$ || ', ' || $s$ ORDER BY n.nth)
                FROM unnest(c.confkey) WITH ORDINALITY AS n (attnum, nth)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = n.attnum) AS value,
               array_agg(DISTINCT z.id) AS sources
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_constraint c ON c.oid = t.tgconstraint AND c.contype = 'f' AND c.confrelid = t.tgrelid
        JOIN changeover.mapping m ON m.target_oid = c.conrelid
        JOIN changeover.source z ON z.mapping_id = m.id
        WHERE t.tgrelid = (v_says ->> 'target')::regclass
        GROUP BY c.oid, c.confkey, c.confrelid
    LOOP
        EXECUTE format($sql$
            INSERT INTO changeover.queue (source_id, direction, key, cause)
            SELECT DISTINCT r.source_id, 'forward', r.key, 'parent'
            FROM changeover.reject r
            WHERE r.reason = 'foreign_key_violation' AND r.id > 0 AND r.source_id = ANY ($2)
              AND coalesce(substring(r.detail FROM '\)=\((.*)\)[^()]*$') IN (SELECT %s FROM %s), true)$sql$, v_key.value, v_rows)
        USING p_keys, v_key.sources;
    END LOOP;
    RETURN true;
END
$$;
