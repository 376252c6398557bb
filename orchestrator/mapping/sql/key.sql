-- The source key that a target row stands for.
CREATE OR REPLACE FUNCTION changeover.:fn:_key(n :target:)
RETURNS text
LANGUAGE sql
STABLE
:pins:
AS $changeover$
    SELECT :legacy_key_text: FROM (SELECT (n).*) t
$changeover$
