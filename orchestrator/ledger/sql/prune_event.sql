-- Who did what, of plans; not since a run began that is still open (a finished one is: its way back is), and not what
-- belongs to no plan, which is little: installing, pruning.
SELECT e.id
  FROM changeover.event AS e
 WHERE e.at < %(before)s AND e.plan IS NOT NULL
   AND NOT EXISTS (SELECT FROM changeover.run AS r
                    WHERE r.plan = e.plan AND r.state IN ('active', 'finished') AND r.started_at <= e.at)
