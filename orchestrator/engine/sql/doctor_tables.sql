-- What matters about the tables that a plan reads: whose they are, who hides rows, what hangs on them.
SELECT
    n.nspname || '.' || c.relname AS name,
    pg_get_userbyid(c.relowner)::text AS owner,
    pg_has_role(c.relowner, 'USAGE') AS owned,
    has_table_privilege(c.oid, 'SELECT') AS readable,
    has_schema_privilege(n.oid, 'CREATE') AS may_create_beside,
    c.relkind::text AS kind,
    c.relpersistence::text AS persistence,
    c.relrowsecurity AS rls,
    c.relforcerowsecurity AS rls_forced,
    row_security_active(c.oid) AS rls_hides,
    c.relispartition AS is_partition,
    EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid AND NOT c.relispartition) AS inherits,
    EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid) AS has_children,
    ARRAY(SELECT f.conname || ' of ' || f.conrelid::regclass FROM pg_catalog.pg_constraint AS f
           WHERE f.contype = 'f' AND f.confrelid = c.oid ORDER BY 1) AS referenced_by,
    ARRAY(SELECT f.conname::text FROM pg_catalog.pg_constraint AS f
           WHERE f.contype = 'f' AND f.conrelid = c.oid ORDER BY 1) AS refers,
    ARRAY(SELECT t.tgname::text FROM pg_catalog.pg_trigger AS t
            JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
           WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D'
             AND p.pronamespace IS DISTINCT FROM to_regnamespace('changeover')
           ORDER BY 1) AS triggers,
    ARRAY(SELECT r.rulename::text FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid ORDER BY 1) AS rules,
    ARRAY(SELECT t.pubname::text FROM pg_catalog.pg_publication_tables AS t
           WHERE (t.schemaname, t.tablename) = (n.nspname, c.relname) ORDER BY 1) AS published,
    EXISTS (SELECT FROM pg_catalog.pg_subscription_rel AS s WHERE s.srrelid = c.oid) AS subscribed,
    ARRAY(SELECT DISTINCT v.oid::regclass::text FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid AND d.classid = 'pg_catalog.pg_rewrite'::regclass
            JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class AND v.oid <> c.oid
            JOIN pg_catalog.pg_namespace AS vn ON vn.oid = v.relnamespace AND vn.nspname NOT IN ('changeover', 'compat')
           WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid ORDER BY 1) AS views,
    -- The view that contract has put under the old name asks as its owner, whom policies of a later day do not bind.
    c.relrowsecurity AND n.nspname = 'archive' AND EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid AND d.classid = 'pg_catalog.pg_rewrite'::regclass
          JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class AND v.relkind = 'v' AND v.relname = c.relname
          JOIN pg_catalog.pg_namespace AS vn ON vn.oid = v.relnamespace AND vn.nspname NOT IN ('changeover', 'compat')
         WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_options_to_table(v.reloptions) AS o
                            WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)) AS rls_behind_view,
    EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) AS o
             WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean) AS autovacuum_off,
    -- One that is due against wraparound does not give way to DDL, as others do.
    c.relkind IN ('r', 'm') AND age(c.relfrozenxid) > 0.9 * current_setting('autovacuum_freeze_max_age')::int AS freeze_due,
    -- Seen by its lock: pg_stat_progress_vacuum hides it from ordinary roles.
    EXISTS (SELECT FROM pg_catalog.pg_locks AS l
             WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
               AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()))
        AS vacuuming,
    pg_catalog.pg_total_relation_size(c.oid)::bigint AS bytes,
    greatest(c.reltuples, 0)::bigint AS rows_estimated
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::oid[])
ORDER BY 1
