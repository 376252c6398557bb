-- A source that was derived again is an ordinary copied one from here on.
UPDATE changeover.source SET mode = 'copy' WHERE mapping_id = %(mapping)s AND state = 'copied' AND mode = 'resync'
