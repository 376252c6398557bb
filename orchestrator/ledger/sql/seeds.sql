-- How many rows of a table no seed has made, or somebody has changed since. They are compared in the columns
-- that were there at every seed and are there now: any other goes with what has added it, before the table does.
CREATE OR REPLACE FUNCTION changeover.rows_beside_seeds(of_table regclass) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now_there CONSTANT text[] := ARRAY(
        SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = of_table AND a.attnum > 0 AND NOT a.attisdropped);
    not_compared CONSTANT text[] := ARRAY(
        SELECT c.name FROM unnest(now_there) AS c (name)
         WHERE EXISTS (SELECT FROM changeover.seed_row AS r WHERE r.relation = of_table AND NOT r.row ? c.name)
         UNION SELECT k.name FROM changeover.seed_row AS r CROSS JOIN jsonb_object_keys(r.row) AS k (name)
         WHERE r.relation = of_table AND k.name <> ALL (now_there));
    v_rows bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM changeover.seed_row AS r WHERE r.relation = of_table) THEN
        EXECUTE format('SELECT count(*) FROM %s', of_table) INTO v_rows;
    ELSE
        EXECUTE format(
            'SELECT count(*) FROM (SELECT to_jsonb(x) - $1 FROM %s AS x EXCEPT ALL '
            'SELECT r.row - $1 FROM changeover.seed_row AS r WHERE r.relation = $2) AS beside', of_table)
            INTO v_rows USING not_compared, of_table::oid;
    END IF;
    RETURN v_rows;
END
$$;
