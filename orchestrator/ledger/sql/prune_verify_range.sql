-- What verifications compared, of those that a later one of the same stage has made of no account: gates, repair,
-- metrics and status look at the last finished one only.
SELECT d.ctid
  FROM changeover.verify_range AS d
  JOIN changeover.verification AS v ON v.id = d.verification_id
 WHERE v.state <> 'running' AND v.ended_at < %(before)s
   AND EXISTS (SELECT FROM changeover.verification AS n
                WHERE (n.plan, n.stage) = (v.plan, v.stage) AND n.id > v.id AND n.state <> 'running')
