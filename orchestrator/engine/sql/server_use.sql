-- Where the log of changes is, and how large the database is.
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint,
       pg_catalog.pg_database_size(current_database())
