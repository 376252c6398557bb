-- The rows that differed then, with their values: of the same verifications as prune_verify_range.sql.
SELECT d.ctid
  FROM changeover.difference AS d
  JOIN changeover.verification AS v ON v.id = d.verification_id
 WHERE v.state <> 'running' AND v.ended_at < %(before)s
   AND EXISTS (SELECT FROM changeover.verification AS n
                WHERE (n.plan, n.stage) = (v.plan, v.stage) AND n.id > v.id AND n.state <> 'running')
