-- The rows that the lookups of one new row miss. Seldom needed by a session, so its plans are not kept.
CREATE OR REPLACE FUNCTION changeover.:fn:_create("#new" :table:)
RETURNS void
LANGUAGE plpgsql
:pins:
SET plan_cache_mode = force_custom_plan
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    -- Not the application's own rows: another mapping that writes this table back leaves them alone.
    PERFORM set_config('changeover.origin', :own:, true);
    :create:
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
