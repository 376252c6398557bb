-- What is compared already and need not be again.
SELECT lo, hi FROM changeover.verify_range WHERE verification_id = $1 AND scope = $2
