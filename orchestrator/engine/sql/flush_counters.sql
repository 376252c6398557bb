-- The function is there from PostgreSQL 15 on.
DO $$
BEGIN
    IF to_regproc('pg_catalog.pg_stat_force_next_flush') IS NOT NULL THEN
        EXECUTE 'SELECT pg_catalog.pg_stat_force_next_flush()';
    END IF;
END
$$
