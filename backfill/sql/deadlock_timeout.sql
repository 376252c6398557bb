-- In milliseconds, its unit in pg_settings. 0 is not allowed by the server, so there always is room below it.
SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'
