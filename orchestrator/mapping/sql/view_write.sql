-- Writing to the compatibility view writes the source table, wherever it stands by now; its mirror
-- carries the row on. So old code sees the same table behind the same name before and after contract.
-- An UPDATE writes the columns that it changed: the others may have been changed by somebody else meanwhile.
-- What is returned is the row as the table has it, with what it computed by itself.
CREATE OR REPLACE FUNCTION changeover.:fn:_view()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_row tid;
    v_waits jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        :identity:
        INSERT INTO :source: AS x (:source_columns:) OVERRIDING SYSTEM VALUE VALUES (:new_values:)
        RETURNING :all_columns: INTO NEW;
        RETURN NEW;
    END IF;
    :choose_row:
    IF TG_OP = 'UPDATE' THEN
        UPDATE :source: x SET :view_set: WHERE :row_of_old: RETURNING :all_columns: INTO NEW;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        RETURN NEW;
    END IF;
    DELETE FROM :source: x WHERE :row_of_old:;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN OLD;
END
$changeover$
