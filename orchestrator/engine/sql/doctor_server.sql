-- The server and what this role may do in this database, in one row. Everything here can be read by an ordinary role;
-- what of pg_stat_activity is hidden from it (the start of other roles' transactions) is NULL and counted as hidden.
SELECT
    current_setting('server_version_num')::int AS version,
    current_setting('server_version') AS version_text,
    current_user::text AS role,
    r.rolsuper AS is_superuser,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    current_setting('default_transaction_read_only') = 'on' AS read_only,
    has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
    to_regnamespace('changeover') IS NOT NULL AS ledger_schema,
    coalesce(has_schema_privilege(to_regnamespace('changeover')::oid, 'CREATE'), false) AS may_use_ledger_schema,
    current_setting('session_replication_role') AS replication_role,
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections_for_all,
    d.datconnlimit AS database_limit,
    r.rolconnlimit AS role_limit,
    (SELECT count(*)::int FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend') AS connections_used,
    (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout') AS deadlock_timeout_ms,
    (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'idle_in_transaction_session_timeout') AS idle_timeout_ms,
    current_setting('synchronous_standby_names') AS synchronous_standbys,
    current_setting('wal_level') AS wal_level,
    current_setting('archive_mode') AS archive_mode,
    (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS replicas,
    ARRAY(SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical'
          AND database = current_database() ORDER BY 1) AS logical_slots,
    ARRAY(SELECT slot_name::text || CASE WHEN restart_lsn IS NULL THEN '' ELSE ' (' || pg_size_pretty(pg_wal_lsn_diff(
              CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)) || ')' END
            FROM pg_catalog.pg_replication_slots WHERE NOT active AND NOT temporary ORDER BY 1) AS idle_slots,
    -- A new table is published by itself where a publication is of all tables, or (from 15 on) of all of a schema: then
    -- something is published that nobody has named.
    ARRAY(SELECT p.pubname::text FROM pg_catalog.pg_publication AS p
           WHERE p.puballtables
              OR EXISTS (SELECT FROM pg_catalog.pg_publication_tables AS t
                           JOIN pg_catalog.pg_namespace AS n ON n.nspname = t.schemaname
                           JOIN pg_catalog.pg_class AS c ON c.relname = t.tablename AND c.relnamespace = n.oid
                          WHERE t.pubname = p.pubname AND NOT c.relispartition
                            AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r
                                             WHERE r.prpubid = p.oid AND r.prrelid = c.oid))
           ORDER BY 1) AS publications_of_all,
    current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on' AS autovacuum,
    ARRAY(SELECT evtname::text FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1) AS event_triggers,
    (SELECT count(*)::int FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()) AS prepared,
    (SELECT coalesce(extract(epoch FROM max(now() - prepared)), 0)::float8
       FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()) AS prepared_seconds,
    (SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::float8 FROM pg_catalog.pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend')
        AS longest_transaction,
    (SELECT count(*)::int FROM pg_catalog.pg_stat_activity
      WHERE datname = current_database() AND backend_type = 'client backend' AND query = '<insufficient privilege>')
        AS hidden_sessions,
    -- A role or database that switches ordinary triggers off would write past the mirror.
    ARRAY(SELECT coalesce(x.rolname, 'every role of this database')::text
            FROM pg_catalog.pg_db_role_setting AS s
            LEFT JOIN pg_catalog.pg_roles AS x ON x.oid = s.setrole
           WHERE s.setdatabase IN (0, d.oid)
             AND EXISTS (SELECT FROM unnest(s.setconfig) AS c WHERE c ~* '^session_replication_role=(?!origin)')
           ORDER BY 1) AS roles_without_triggers,
    pg_catalog.pg_database_size(d.oid)::bigint AS database_bytes
FROM pg_catalog.pg_database AS d
JOIN pg_catalog.pg_roles AS r ON r.rolname = current_user
WHERE d.datname = current_database()
