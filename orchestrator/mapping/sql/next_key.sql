-- A key for a row that is born on the new side, where the old table gives none: its application does. From a sequence
-- of ours, because two writers who both take the highest + 1 get one key; below zero, because the old application will
-- not come there with keys of its own, and must not find one taken.
CREATE OR REPLACE FUNCTION changeover.:fn:_next_key()
RETURNS bigint
LANGUAGE plpgsql
:pins:
AS $changeover$
DECLARE
    v_key bigint;
BEGIN
    LOOP
        v_key := nextval(:sequence:);
        EXIT WHEN NOT EXISTS (SELECT FROM :source: x WHERE :row_of_key:);
    END LOOP;
    RETURN v_key;
END
$changeover$
