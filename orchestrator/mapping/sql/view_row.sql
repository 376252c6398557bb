-- One row of the old table, made of the row of the new table at a place: the body of the function that the compatibility
-- view calls. A role that may read the old table may execute it, and is given no row that the old table would not show
-- it: with row-level security on the old table, only a session of its owner is given one; and whoever has lost the right
-- to read the old table is given none, whether the view asks or somebody calls the function. The role that asks is the
-- one of SET ROLE, else of the session: within the function the current one is always its owner.
SELECT true, :columns:
FROM :target: t CROSS JOIN LATERAL changeover.:fn:_old_row(t.*) r
WHERE :which:
    AND t.ctid = $1 AND t.tableoid = $2
    AND (SELECT NOT c.relrowsecurity OR pg_catalog.pg_has_role(session_user, c.relowner, 'USAGE')
         FROM pg_catalog.pg_class c WHERE c.oid = :oid:)
    AND (SELECT :may_read:)
