-- The reverse mirror of a merge: every source that the row has or had. It never raises.
CREATE OR REPLACE FUNCTION changeover.:fn:_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
DECLARE
    v_had boolean;
    v_has boolean;
    v_state text;
BEGIN
    :parts:
    RETURN NULL;
END
$changeover$
