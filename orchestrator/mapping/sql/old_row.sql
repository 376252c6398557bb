-- The old row that a new row stands for, written once: every other function asks here. The originals come first, then the way
-- back. STABLE, one SELECT, no settings of its own and not strict, like new_rows.
CREATE OR REPLACE FUNCTION changeover.:fn:_old_row(n :target:)
RETURNS TABLE (:signature:)
LANGUAGE sql
STABLE
AS $changeover$
    SELECT :values:
    FROM (SELECT (n).*) t
$changeover$
