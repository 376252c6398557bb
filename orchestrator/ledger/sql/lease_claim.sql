-- The first lease of a plan. Finds nothing to do where there is a row already.
INSERT INTO changeover.lease (plan, owner, pids, expires_at)
VALUES (%(plan)s, %(owner)s, ARRAY[pg_catalog.pg_backend_pid()], clock_timestamp() + make_interval(secs => %(ttl)s))
ON CONFLICT (plan) DO NOTHING
RETURNING epoch
