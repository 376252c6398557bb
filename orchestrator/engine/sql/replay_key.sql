-- Look at this key again.
INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (%(source)s, 'forward', %(key)s, 'replay')
