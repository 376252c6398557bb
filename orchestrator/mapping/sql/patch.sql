-- What an update of the new side would write to the old row, as {column: [before, after]}. A write that was
-- hindered waits as this: applied later, it changes a column only where nobody else has changed it since.
CREATE OR REPLACE FUNCTION changeover.:fn:_patch("#old" :target:, "#new" :target:)
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT changeover.patch(changeover.:fn:_image("#old"), changeover.:fn:_image("#new"), :settable:)
$changeover$
