-- The derived rows of one source, written once: every other function asks here. STABLE, one SELECT, no settings of its
-- own and not strict, so that the planner puts it into the statement that calls it; the caller has pinned the settings.
CREATE OR REPLACE FUNCTION changeover.:fn:(:arguments:)
RETURNS TABLE (:signature:)
LANGUAGE sql
STABLE
AS $changeover$
:derived:
$changeover$
