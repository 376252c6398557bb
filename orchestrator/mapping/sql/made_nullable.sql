-- Of these actions of contract, which make a column nullable, those that are done and not taken back.
SELECT coalesce(array_agg(a.action_id), '{}') FROM changeover.action AS a
WHERE a.phase = 'contract' AND a.state = 'done' AND a.action_id = ANY (%(ids)s)
  AND EXISTS (SELECT FROM changeover.run AS r WHERE r.id = a.run_id AND r.state IN ('active', 'finished'))
