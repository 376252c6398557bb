-- Before every write of the new side: the source that the row belongs to keeps its originals true.
-- The application's write goes on, whatever hinders this: the row's id is left to the reverse mirror then, so that the
-- drain makes up for it. A table that moves at this moment (to the archive or back) is no hindrance: its functions move
-- with it, and are called again.
CREATE OR REPLACE FUNCTION changeover.:fn:_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
DECLARE
    v_source integer;
    v_former integer;
BEGIN
    FOR v_attempt IN 1 .. 3 LOOP
        BEGIN
            :source_of_new:
            IF TG_OP = 'UPDATE' THEN
                :source_of_old:
            END IF;
            IF v_source IS NULL THEN
                RETURN NEW;
            END IF;
            IF v_former IS NOT DISTINCT FROM v_source THEN
                EXECUTE format('SELECT * FROM changeover.m%s_carry($1, $2, false)', v_source) INTO NEW USING OLD, NEW;
            ELSE
                -- A row that goes over to this source is born there; the rules that it breaks go along.
                EXECUTE format('SELECT * FROM changeover.m%s_carry($1, $2, true)', v_source) INTO NEW USING OLD, NEW;
            END IF;
            RETURN NEW;
        EXCEPTION
            WHEN undefined_table OR undefined_column THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
            WHEN OTHERS THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
                EXIT;
        END;
    END LOOP;
    PERFORM set_config('changeover.hindered', array_append(
        nullif(current_setting('changeover.hindered', true), '')::text[], CAST(NEW.:target_key: AS text))::text, true);
    RETURN NEW;
END
$changeover$
