-- Repair: take out what belongs to nobody.
SELECT {function}($1::text[]::jsonb[])
