-- Verifications that a later one of the same stage has made of no account: gates, repair, metrics and status look at the
-- last finished one only. That they were made stays among the events.
SELECT v.id
  FROM changeover.verification AS v
 WHERE v.state <> 'running' AND v.ended_at < %(before)s
   AND EXISTS (SELECT FROM changeover.verification AS n
                WHERE (n.plan, n.stage) = (v.plan, v.stage) AND n.id > v.id AND n.state <> 'running')
