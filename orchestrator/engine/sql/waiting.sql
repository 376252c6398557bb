-- How many keys of these sources wait to be derived again, by source.
SELECT c.source_id, count(*) FROM changeover.queue c
WHERE c.id > 0 AND c.source_id = ANY (%(ids)s) AND c.direction = %(direction)s
GROUP BY c.source_id ORDER BY c.source_id
