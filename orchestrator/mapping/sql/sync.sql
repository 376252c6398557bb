-- Make the target what the source says now for these keys, for whoever is not a writer of the rows: the drain,
-- the repair, the replay. Locking the source rows before they are read puts it in the place of a writer: the
-- mirror of a concurrent write comes before it or after it, never in between.
CREATE OR REPLACE FUNCTION changeover.:fn:_sync("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
BEGIN
    :lock_rows:
    PERFORM changeover.:fn:_apply("#keys");
    -- Now, and not at COMMIT: whoever has called this still knows what to do about a violation.
    PERFORM changeover.check_constraints(:written:);
END
$changeover$
