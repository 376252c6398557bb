-- The source key that a target row stands for; NULL for a row that has none of its own (yet).
CREATE OR REPLACE FUNCTION changeover.:fn:_key(n :target:)
RETURNS text
LANGUAGE sql
STABLE
:pins:
AS $changeover$
    SELECT (:own_key:) FROM (SELECT (n).*) t
$changeover$
