-- Writing to the compatibility view writes the source table, wherever it stands by now; its mirror
-- carries the row on. So old code sees the same table behind the same name before and after contract.
CREATE OR REPLACE FUNCTION changeover.:fn:_view()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO :source: (:source_columns:) OVERRIDING SYSTEM VALUE VALUES (:new_values:);
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE :source: x SET :view_set: WHERE :row_of_old:;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        RETURN NEW;
    ELSE
        DELETE FROM :source: x WHERE :row_of_old:;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        RETURN OLD;
    END IF;
END
$changeover$
