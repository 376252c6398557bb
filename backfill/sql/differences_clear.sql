-- After a repair: what differed is compared again, the rest is not.
WITH ranges AS (
    DELETE FROM changeover.verify_range WHERE verification_id = $1 AND differences > 0
)
DELETE FROM changeover.difference WHERE verification_id = $1
