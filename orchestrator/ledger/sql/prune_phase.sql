-- The phases of the same runs as prune_action.sql, once their actions are gone. The runs themselves stay: one row each.
SELECT p.ctid
  FROM changeover.phase AS p
  JOIN changeover.run AS r ON r.id = p.run_id
 WHERE r.state IN ('rolled_back', 'abandoned') AND r.ended_at < %(before)s
   AND EXISTS (SELECT FROM changeover.run AS n WHERE n.plan = r.plan AND n.id > r.id)
