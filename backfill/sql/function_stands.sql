-- Whether a mapping has this function: only some have it.
SELECT to_regprocedure($1) IS NOT NULL
