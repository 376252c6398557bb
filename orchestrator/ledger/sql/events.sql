-- The event table only grows; the trigger function came with the flags, whose history does the same.
CREATE OR REPLACE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON changeover.event
    FOR EACH STATEMENT EXECUTE FUNCTION changeover.append_only();
