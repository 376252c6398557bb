-- Values that only one row may have and that move among rows: a swap, a rotation, a shift. One row after the other would meet
-- the row that has the value still; so the drain, which has all these rows, first puts the values of all of them out of the way (docs/concurrency.md, C11).

-- For each unique index of a table (or exclusion constraint) that has one of these columns: a column whose value can be put
-- out of the way, and the SQL of a value that nobody has; "#nth" in it tells rows apart. A key of one column that is not among
-- the given ones, a value that has to be in another table and an index of expressions alone have no such place.
CREATE OR REPLACE FUNCTION changeover.parking_places(p_table regclass, p_columns text[])
RETURNS TABLE (name text, place text, key text[])
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT ON (i.indexrelid) a.attname::text,
        CASE
            WHEN NOT a.attnotnull THEN 'NULL'
            WHEN a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
                THEN format('(SELECT greatest(max(m.%1$I), 0) FROM %2$s m) + d."#nth"', a.attname, p_table)
            WHEN a.atttypid = 'uuid'::regtype THEN 'gen_random_uuid()'
            WHEN a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
                THEN format('(SELECT max(m.%1$I) FROM %2$s m) + d."#nth" * interval ''1 day''', a.attname, p_table)
            ELSE format('left(md5(random()::text || d."#nth"), %s)', CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 ELSE 32 END)
        END,
        ARRAY(SELECT k.attname::text FROM pg_attribute k
              WHERE k.attrelid = p_table AND k.attnum = ANY (i.indkey) AND k.attname = ANY (p_columns))
    FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = p_table AND a.attnum = ANY (i.indkey) AND a.attname = ANY (p_columns)
    WHERE i.indrelid = p_table AND (i.indisunique OR i.indisexclusion)
      AND (NOT a.attnotnull
           OR a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'uuid'::regtype,
                             'date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'text'::regtype, 'varchar'::regtype)
              AND NOT EXISTS (SELECT FROM pg_constraint c
                              WHERE c.conrelid = p_table AND c.contype = 'f' AND a.attnum = ANY (c.conkey)))
    ORDER BY i.indexrelid, a.attnotnull, a.atttypid IN ('text'::regtype, 'varchar'::regtype), a.attnum
$$;

-- Puts out of the way what is about to change in the rows of the target that these keys say: those that the derivation writes
-- whole. `p_same` are the columns that tell which row is which, `p_columns` those that the derivation writes, `p_rows` is the
-- function that derives, `p_which` the condition over g and d for the rows that it writes whole.
CREATE OR REPLACE FUNCTION changeover.park(
    p_target regclass, p_same text[], p_columns text[], p_rows text, p_which text, p_keys text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_place record;
BEGIN
    FOR v_place IN SELECT p.* FROM changeover.parking_places(p_target, p_columns) p LOOP
        EXECUTE format(
            'UPDATE %s g SET %I = %s FROM (SELECT r.*, row_number() OVER () AS "#nth" FROM changeover.%I($1) r) d '
            'WHERE (%s) = (%s) AND d."#reason" IS NULL AND NOT d."#unresolved" AND %s AND (%s) IS DISTINCT FROM (%s)',
            p_target, v_place.name, v_place.place, p_rows,
            (SELECT string_agg(format('g.%I', s), ', ') FROM unnest(p_same) s),
            (SELECT string_agg(format('d.%I', s), ', ') FROM unnest(p_same) s), p_which,
            (SELECT string_agg(format('g.%I', k), ', ') FROM unnest(v_place.key) k),
            (SELECT string_agg(format('d.%I', k), ', ') FROM unnest(v_place.key) k)) USING p_keys;
    END LOOP;
END
$$;

-- The same in a row of a source, for a patch of the new side that waits ({"set": {column: [before, after]}}): the patch that
-- finds the row then. `p_which` is the condition over x for the rows of the keys $1. Values that are no longer what they were
-- when the patch was made are left alone.
CREATE OR REPLACE FUNCTION changeover.park_patch(p_source regclass, p_which text, p_key text, p_patch jsonb, p_nth bigint)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_place record;
    v_parked text[];
BEGIN
    FOR v_place IN
        SELECT p.* FROM changeover.parking_places(p_source, ARRAY(SELECT jsonb_object_keys(p_patch -> 'set'))) p
    LOOP
        EXECUTE format(
            'WITH parked AS (UPDATE %s x SET %I = %s FROM (SELECT $2::bigint AS "#nth") d WHERE %s '
            'AND x.%2$I::text IS NOT DISTINCT FROM $3 RETURNING x.%2$I::text AS value) SELECT array_agg(value) FROM parked',
            p_source, v_place.name, v_place.place, p_which
        ) INTO v_parked USING ARRAY[p_key], p_nth, p_patch -> 'set' -> v_place.name ->> 0;
        IF cardinality(v_parked) = 1 THEN
            p_patch := jsonb_set(p_patch, ARRAY['set', v_place.name, '0'], coalesce(to_jsonb(v_parked[1]), 'null'));
        END IF;
    END LOOP;
    RETURN p_patch;
END
$$;
