-- Is this table the target of a mapping that this plan has registered? Then the plan's own expand has made it.
SELECT EXISTS (
    SELECT FROM changeover.mapping AS m WHERE m.plan = %(plan)s AND m.target_oid::bigint = %(oid)s
)
