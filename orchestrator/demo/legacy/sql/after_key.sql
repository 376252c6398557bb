-- The next number of a generated key goes on after the rows that are there.
SELECT setval(pg_get_serial_sequence(%(table)s, 'id'), %(last)s::bigint)
