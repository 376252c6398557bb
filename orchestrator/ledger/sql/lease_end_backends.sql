-- Ends what still works, or hangs, under the superseded lease. A pid can have been given to somebody else, hence the
-- look at database and application name. With `blocking`, a backend that nobody enlisted is ended too if it holds a
-- lock that only a fence takes and is not known to another plan's lease.
SELECT a.pid, pg_catalog.pg_terminate_backend(a.pid, %(wait_ms)s) AS ended
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = current_database()
   AND a.application_name LIKE 'changeover/%%'
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND (a.pid = ANY (%(pids)s)
        OR (%(blocking)s
            AND EXISTS (SELECT FROM pg_catalog.pg_locks AS k
                         WHERE k.pid = a.pid AND k.granted AND k.mode = 'RowShareLock'
                           AND k.relation = 'changeover.lease'::regclass)
            AND NOT EXISTS (SELECT FROM changeover.lease AS other
                             WHERE other.plan <> %(plan)s AND a.pid = ANY (other.pids))))
