-- Runs that were taken back or given up, and that a later run of the plan has followed: nothing can be taken back by their
-- phases and statements any more. A finished run keeps its own until it is taken back: its mirrors are on.
SELECT r.id
  FROM changeover.run AS r
 WHERE r.state IN ('rolled_back', 'abandoned') AND r.ended_at < %(before)s
   AND EXISTS (SELECT FROM changeover.run AS n WHERE n.plan = r.plan AND n.id > r.id)
