-- Take out of the target what came from this source for some keys, or all of it where they are NULL. It is planned at each call.
CREATE OR REPLACE FUNCTION changeover.:fn:_remove("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET plan_cache_mode = force_custom_plan
AS $changeover$
#variable_conflict use_column
BEGIN
    :remove:
END
$changeover$
