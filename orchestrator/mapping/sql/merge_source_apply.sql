-- The derivation of one source of a merge is that of the whole: a key has all its sources.
CREATE OR REPLACE FUNCTION changeover.:fn:_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
BEGIN
    PERFORM changeover.:mapping_fn:_apply("#keys", :id:);
END
$changeover$
