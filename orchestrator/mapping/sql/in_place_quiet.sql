-- What our own UPDATE changes beside the columns of the mapping is put back: a trigger of the application that notes
-- when a row was changed last would otherwise note our batch, and a rollback could not bring the old value back.
CREATE OR REPLACE FUNCTION changeover.:fn:_quiet()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
DECLARE
    v_row :table: := OLD;
BEGIN
    :ours:
    RETURN v_row;
END
$changeover$
