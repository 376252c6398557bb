-- The rows that the lookups of one new row miss. Seldom needed by a session, so its plans are not kept.
CREATE OR REPLACE FUNCTION changeover.:fn:_create("#new" :table:)
RETURNS void
LANGUAGE plpgsql
:pins:
SET plan_cache_mode = force_custom_plan
AS $changeover$
#variable_conflict use_column
BEGIN
    :create:
END
$changeover$
