-- Repair: make the target what the source says for these keys.
SELECT {function}($1::text[])
