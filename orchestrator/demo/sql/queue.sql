-- What waits to be derived again, by what left it there. A mirror that was hindered writes the SQLSTATE.
SELECT cause, count(*) FROM changeover.queue GROUP BY cause ORDER BY cause
