-- The source key that a target row stands for; NULL for a row that has none of its own (yet). Asked twice at each write of the new side: of
-- PL/pgSQL a session keeps the plan, of SQL it would be made each time.
CREATE OR REPLACE FUNCTION changeover.:fn:_key(n :target:)
RETURNS text
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    RETURN (SELECT (:own_key:) FROM (SELECT (n).*) t);
END
$changeover$
