-- One takeover at a time: two of them would take each other for the former owner and end each other.
SELECT pg_catalog.pg_advisory_xact_lock(hashtextextended('changeover.lease', 0))
