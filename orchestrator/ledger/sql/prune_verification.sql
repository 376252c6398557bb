-- Those verifications themselves, once nothing hangs on them; that they were made stays among the events.
SELECT v.ctid
  FROM changeover.verification AS v
 WHERE v.state <> 'running' AND v.ended_at < %(before)s
   AND EXISTS (SELECT FROM changeover.verification AS n
                WHERE (n.plan, n.stage) = (v.plan, v.stage) AND n.id > v.id AND n.state <> 'running')
