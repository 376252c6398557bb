-- A connection that will work under the lease ($1 plan, $2 epoch) says so, outside of any longer transaction.
UPDATE changeover.lease
   SET pids = array_append(array_remove(pids, pg_catalog.pg_backend_pid()), pg_catalog.pg_backend_pid())
 WHERE plan = $1 AND epoch = $2 AND expires_at > '-infinity'
RETURNING epoch
