-- One installer at a time, across all databases' sessions of this database. The number is 'chgovr' in ASCII.
SELECT pg_catalog.pg_advisory_xact_lock(109300063106674)
