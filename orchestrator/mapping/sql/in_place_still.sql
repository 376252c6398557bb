-- Nothing is filled any more: the way back has begun.
CREATE OR REPLACE FUNCTION changeover.:fn:_sync("#keys" text[])
RETURNS void
LANGUAGE sql
AS $changeover$
    SELECT
$changeover$
