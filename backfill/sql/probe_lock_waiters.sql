-- Sessions that wait for one of ours, and are not ours.
SELECT count(DISTINCT w.pid)::float8
  FROM pg_catalog.pg_locks AS w
 WHERE NOT w.granted
   AND w.pid <> ALL ($1::int[])
   AND pg_catalog.pg_blocking_pids(w.pid) && $1::int[]
