-- Whether a run of this plan has begun an action and not taken it back.
SELECT true
FROM changeover.action AS a
JOIN changeover.run AS r ON r.id = a.run_id
WHERE r.plan = %(plan)s AND a.stage = %(stage)s AND a.action_id = %(action)s AND a.state <> 'undone'
LIMIT 1
