-- What the role of an application may do: read and write rows, in the tables there are and in those that
-- their owner makes later. It gets no DDL, and of the ledger nothing but the flags. Run again after `init`.
DO $$
DECLARE
    application text := current_setting('changeover_demo.application');
    place text;
BEGIN
    FOR place IN SELECT nspname FROM pg_namespace WHERE nspname IN ('public', 'qa', 'compat') ORDER BY nspname LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', place, application);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', place, application);
        EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', place, application);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', place, application);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO %I', place, application);
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA auth TO %I', application);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON auth.users TO %I', application);
    IF to_regclass('changeover.feature_flags') IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SCHEMA changeover TO %I', application);
        EXECUTE format('GRANT SELECT ON changeover.feature_flags TO %I', application);
        EXECUTE format('GRANT INSERT ON changeover.flag_reading TO %I', application);
    END IF;
END
$$
