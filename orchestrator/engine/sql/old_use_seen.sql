-- What was seen of an archived table. It was quiet since the last look at which somebody had used it.
INSERT INTO changeover.old_use AS u (oid, plan, reads, writes, new_writes, pids)
VALUES (%(oid)s, %(plan)s, %(reads)s, %(writes)s, %(new_writes)s, %(pids)s)
ON CONFLICT (oid) DO UPDATE
   SET reads = excluded.reads, writes = excluded.writes, new_writes = excluded.new_writes,
       quiet_since = CASE WHEN %(used)s = '' THEN u.quiet_since ELSE clock_timestamp() END,
       words = CASE WHEN %(used)s = '' THEN u.words ELSE %(used)s END
