-- The old row as text, column by column: by this a deletion that waited finds the row that was meant.
CREATE OR REPLACE FUNCTION changeover.:fn:_image("#old" :target:)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
BEGIN
    RETURN (SELECT '{}'::jsonb :texts: FROM changeover.:fn:_old_row("#old") a);
END
$changeover$
