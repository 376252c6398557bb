-- How many old rows of a target table are rejected, whether a person answers for them or not.
SELECT count(DISTINCT (r.source_id, r.key))
  FROM changeover.reject AS r
  JOIN changeover.source AS s ON s.id = r.source_id
  JOIN changeover.mapping AS m ON m.id = s.mapping_id AND m.plan = %(plan)s AND m.target_oid = to_regclass(%(table)s)
 WHERE r.id > 0
