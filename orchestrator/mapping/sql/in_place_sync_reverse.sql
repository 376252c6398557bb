-- The old columns of these rows become what the new ones say: the mirror of a write of the new side was hindered.
CREATE OR REPLACE FUNCTION changeover.:fn:_sync_reverse("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', :own:, true);
    PERFORM FROM :table: x WHERE :rows_of_keys: ORDER BY :key_columns: FOR NO KEY UPDATE;
    :update:
    PERFORM changeover.:fn:_judge("#keys");
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
