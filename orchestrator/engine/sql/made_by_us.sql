-- Has this plan made this table? Either it is the target of a mapping that the plan has registered, or the run at hand has
-- recorded the statement that makes it: a kill between the two leaves the second only.
SELECT EXISTS (
    SELECT FROM changeover.mapping AS m WHERE m.plan = %(plan)s AND m.target_oid::bigint = %(oid)s
) OR EXISTS (
    SELECT FROM changeover.action AS a
      JOIN changeover.run AS r ON r.id = a.run_id AND r.plan = %(plan)s AND r.state IN ('active', 'finished')
      JOIN pg_catalog.pg_class AS c ON c.oid::bigint = %(oid)s
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE a.state = 'done' AND a.action_id = 'table ' || n.nspname || '.' || c.relname
)
