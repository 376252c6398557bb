-- What is about to go, with a table or with its columns. A value of a type that may go as well is kept as text: one that is neither
-- PostgreSQL's own nor an extension's.
CREATE OR REPLACE FUNCTION changeover.kept_value(of_column pg_attribute) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(CASE WHEN e.typnamespace = 'pg_catalog'::regnamespace OR d.objid IS NOT NULL THEN 'x.%1$I' ELSE 'x.%1$I::text AS %1$I' END,
                  of_column.attname)
      FROM pg_type AS t
      JOIN pg_type AS e ON e.oid = coalesce(nullif(t.typelem, 0), t.oid)
      LEFT JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = e.oid AND d.deptype = 'e'
     WHERE t.oid = of_column.atttypid
$$;

-- A table that is about to go: its rows go into a new table.
CREATE OR REPLACE FUNCTION changeover.keep_rows(of_table regclass, into_schema text, into_table text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_kept text := (SELECT string_agg(changeover.kept_value(a), ', ' ORDER BY a.attnum)
                      FROM pg_attribute AS a WHERE a.attrelid = of_table AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
    EXECUTE format('CREATE TABLE %I.%I AS SELECT %s FROM %s AS x', into_schema, into_table, v_kept, of_table);
END
$$;

-- Columns that are about to go: what the rows say in them goes into a new table, with the key of each row (every other column where
-- there is none). A row says something where it differs from the column's default: what the server computes, or gave the rows that
-- were there, is no word of theirs. (Where it gave each row another, as clock_timestamp() does, all rows are kept.) Returns how many
-- rows there are; without any there is no table.
CREATE OR REPLACE FUNCTION changeover.keep_columns(of_table regclass, of_columns text[], into_schema text, into_table text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_used text;
    v_kept text;
    v_rows bigint;
BEGIN
    SELECT string_agg(
               CASE WHEN d.value IS NULL OR d.value ~ '[[:alnum:]_"]\('
                   THEN format('(x.%1$I IS NOT NULL AND x.%1$I::text IS DISTINCT FROM %2$L)', a.attname, m.value)
                   ELSE format('(x.%1$I IS DISTINCT FROM (%2$s) AND (x.%1$I IS NULL OR x.%1$I::text IS DISTINCT FROM %3$L))',
                               a.attname, d.value, m.value) END, ' OR ')
      INTO v_used
      FROM pg_attribute AS a
      CROSS JOIN LATERAL (SELECT (a.attmissingval::text::text[])[1] AS value) AS m
      LEFT JOIN LATERAL (SELECT pg_get_expr(e.adbin, e.adrelid) AS value FROM pg_attrdef AS e
                          WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum) AS d ON true
     WHERE a.attrelid = of_table AND a.attname = ANY (of_columns) AND NOT a.attisdropped AND a.attgenerated = '';
    IF v_used IS NULL THEN
        RETURN 0;
    END IF;
    SELECT string_agg(changeover.kept_value(a), ', ' ORDER BY a.attnum)
      INTO v_kept
      FROM pg_attribute AS a
      LEFT JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = of_table AND a.attnum > 0 AND NOT a.attisdropped
       AND (i.indrelid IS NULL OR a.attnum = ANY (i.indkey) OR a.attname = ANY (of_columns));
    EXECUTE format('CREATE TABLE %I.%I AS SELECT %s FROM %s AS x WHERE %s', into_schema, into_table, v_kept, of_table, v_used);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows = 0 THEN
        EXECUTE format('DROP TABLE %I.%I', into_schema, into_table);
    END IF;
    RETURN v_rows;
END
$$;
