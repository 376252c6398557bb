-- A mark of everything that was written to the tables that a view reads, through other views too: it changes with every
-- INSERT, UPDATE, DELETE and TRUNCATE of them. It is made of the server's counters, which a transaction adds to when it has
-- ended, so what a mark holds was visible before the mark was read. A crash sets them to zero: a mark that differs for
-- another reason costs one refresh.
CREATE OR REPLACE FUNCTION changeover.writes_read_by(p_view regclass) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE reads (oid) AS (
        SELECT p_view::oid
        UNION
        SELECT d.refobjid
          FROM reads AS r
          JOIN pg_rewrite AS w ON w.ev_class = r.oid
          JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
           AND d.refclassid = 'pg_class'::regclass
    ), tables (oid) AS (
        SELECT c.oid FROM reads AS r JOIN pg_class AS c USING (oid)
         WHERE c.relkind IN ('r', 'm') AND c.oid <> p_view
        UNION
        SELECT p.relid
          FROM reads AS r JOIN pg_class AS c USING (oid) CROSS JOIN LATERAL pg_partition_tree(c.oid) AS p
         WHERE c.relkind = 'p' AND p.isleaf
    )
    SELECT md5(coalesce(string_agg(concat_ws(' ',
        t.oid, pg_relation_filenode(t.oid), pg_stat_get_tuples_inserted(t.oid), pg_stat_get_tuples_updated(t.oid),
        pg_stat_get_tuples_deleted(t.oid)), ',' ORDER BY t.oid), ''))
      FROM tables AS t
$$;
