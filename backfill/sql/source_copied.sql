-- Compare-and-set, and only when no chunk has pages left: another look than the one in memory.
UPDATE changeover.source AS s
   SET state = 'copied'
 WHERE s.id = $1
   AND s.state = 'copying'
   AND NOT EXISTS (SELECT FROM changeover.chunk AS l WHERE l.source_id = s.id AND l.next_page < l.end_page)
