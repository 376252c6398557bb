-- The statements of runs that were taken back or given up, and that a later run of the plan has followed: nothing can
-- be taken back by them any more. A finished run keeps its own until it is taken back: its mirrors are on.
SELECT a.ctid
  FROM changeover.action AS a
  JOIN changeover.run AS r ON r.id = a.run_id
 WHERE r.state IN ('rolled_back', 'abandoned') AND r.ended_at < %(before)s
   AND EXISTS (SELECT FROM changeover.run AS n WHERE n.plan = r.plan AND n.id > r.id)
