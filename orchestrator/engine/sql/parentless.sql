-- Sources of a split whose parents are not all there: the mapping that makes them, of this stage or an earlier one, has still to copy the same table.
-- A row without a parent is left out by the copy, and nothing would come back for it. A table that appears while the
-- split is being copied is in this place: its parents come with the next round, and it comes after them.
SELECT s.id
FROM changeover.source s
JOIN changeover.mapping m ON m.id = s.mapping_id
JOIN changeover.mapping p ON p.plan = m.plan AND p.target_oid = to_regclass(%(parent)s)
WHERE m.id = %(mapping)s
  AND NOT EXISTS (SELECT FROM changeover.source z
                  WHERE z.mapping_id = p.id AND z.oid = s.oid AND z.state IN ('copied', 'archived'))
