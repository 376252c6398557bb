-- Before new columns are copied: a log of every change of them from here on. Again from the start, if it was begun before.
-- The application's role may not read the log: the function writes it with the owner's rights.
LOCK TABLE :table: IN SHARE ROW EXCLUSIVE MODE;
DROP TRIGGER IF EXISTS :trigger: ON :table:;
DROP TABLE IF EXISTS :copy:, :log:;
CREATE TABLE :copy: AS SELECT :columns: FROM :table: WITH NO DATA;
COMMENT ON TABLE :copy: IS :is_key:;
CREATE TABLE :log: AS SELECT false AS "changeover gone", :columns: FROM :table: WITH NO DATA;
ALTER TABLE :log: ADD COLUMN "changeover n" bigint GENERATED ALWAYS AS IDENTITY;
CREATE OR REPLACE FUNCTION :function:() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $changeover$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        IF TG_OP = 'UPDATE' AND pg_catalog.record_image_eq(ROW(:new:), ROW(:old:)) THEN
            RETURN NULL;
        END IF;
        INSERT INTO :log: ("changeover gone", :columns:) VALUES (true, :old:);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO :log: ("changeover gone", :columns:) VALUES (false, :new:);
    END IF;
    RETURN NULL;
END $changeover$;
REVOKE ALL ON FUNCTION :function:() FROM PUBLIC;
CREATE TRIGGER :trigger: AFTER INSERT OR UPDATE OR DELETE ON :table:
    FOR EACH ROW EXECUTE FUNCTION :function:()
