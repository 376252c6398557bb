-- Who drains gives way before an application does: a short wait for each lock, and of several keys (`whole`) a transaction that
-- ends before anybody who waits for its rows has PostgreSQL look for a circle of waits.
SELECT set_config('lock_timeout', '100ms', true),
       set_config('statement_timeout',
           CASE WHEN %(whole)s THEN (0.8 * setting::int)::int::text || 'ms' ELSE '0' END, true)
  FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'
