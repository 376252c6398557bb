-- The old rows of one source that hang on a changed row of a lookup. What an application of the new side has
-- changed goes back to them, where nobody else has changed it since; what a mirror has changed is kept beside
-- the new rows instead, because the old ones did not change.
CREATE OR REPLACE FUNCTION changeover.:fn:(p_source integer, p_change jsonb)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    :parts:
END
$changeover$
