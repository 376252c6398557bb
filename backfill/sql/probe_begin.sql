-- A probe must not become a load itself.
SET LOCAL statement_timeout = '1s'; SET LOCAL lock_timeout = '100ms'
