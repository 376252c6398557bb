-- The sync of one source of a merge is the sync of the whole: a key has all its sources.
CREATE OR REPLACE FUNCTION changeover.:fn:_sync(keys text[])
RETURNS void
LANGUAGE sql
:pins:
AS $changeover$
    SELECT changeover.:mapping_fn:_sync(keys)
$changeover$
