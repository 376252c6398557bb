-- For tables that only grow. It binds their owner too: who did what must not be mended afterwards, not even
-- with the best intentions. (Dropping the schema is `changeover uninstall`.)
CREATE OR REPLACE FUNCTION changeover.append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on changeover.% refused: this table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Add a row that corrects the other one.';
END
$$;

CREATE OR REPLACE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON changeover.flag_history
    FOR EACH STATEMENT EXECUTE FUNCTION changeover.append_only();
