-- For tables that only grow. It binds their owner too: who did what must not be mended afterwards, not even
-- with the best intentions. (Dropping the schema is `changeover uninstall`.) `changeover prune` deletes old events: it
-- says so by a setting of its own transaction, in which it also appends who did it. A guard against mistakes, not malice.
CREATE OR REPLACE FUNCTION changeover.append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'event' AND current_setting('changeover.pruning', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% on changeover.% refused: this table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Add a row that corrects the other one.';
END
$$;

CREATE OR REPLACE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON changeover.flag_history
    FOR EACH STATEMENT EXECUTE FUNCTION changeover.append_only();
