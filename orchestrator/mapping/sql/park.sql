-- Values that only one row may have are put out of the way: of the target's rows of these keys; or, for a patch of the new side that
-- waits, of the source's row of the one key. Then the answer is the patch that finds the row as it is now.
CREATE OR REPLACE FUNCTION changeover.:fn:_park("#keys" text[], p_patch jsonb, p_nth bigint)
RETURNS jsonb
LANGUAGE plpgsql
:pins:
AS $changeover$
BEGIN
    IF p_patch IS NOT NULL THEN
        RETURN changeover.park_patch(:source_oid:, :which:, "#keys"[1], p_patch, p_nth);
    END IF;
    PERFORM changeover.park(:park:, "#keys");
    RETURN NULL;
END
$changeover$
