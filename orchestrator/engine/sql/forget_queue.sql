-- What still waits to be written to an old table that goes away.
DELETE FROM changeover.queue WHERE id > 0 AND source_id = ANY (%(sources)s::int[])
