-- What the role of an application may do: read and write rows of tables, their sequences included. No DDL, nothing of the ledger.
DO $$
DECLARE
    application text := current_setting('changeover_demo.application');
    place text;
BEGIN
    FOR place IN
        SELECT n.nspname FROM pg_namespace n
        WHERE n.nspname NOT IN ('changeover', 'compat', 'archive', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
        ORDER BY n.nspname
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', place, application);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', place, application);
        EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', place, application);
    END LOOP;
END
$$
