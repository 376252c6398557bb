-- Locks the source's row, so that two planters cannot both find no chunks.
SELECT s.relfilenode,
       EXISTS (SELECT FROM changeover.chunk AS l WHERE l.source_id = s.id) AS planted,
       EXISTS (SELECT FROM changeover.chunk AS l WHERE l.source_id = s.id AND l.next_page < l.end_page) AS open
  FROM changeover.source AS s
 WHERE s.id = $1
   FOR UPDATE
