-- Repair: make the target what the source says for these keys.
SELECT changeover.sync({source}, $1::text[])
