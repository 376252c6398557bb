-- Counts or constraints failed though no row differed: the verification must not end as clean.
INSERT INTO changeover.verify_range (verification_id, scope, lo, hi, rows, differences)
VALUES (%(id)s, 'checks', 0, 0, 0, 1)
ON CONFLICT DO NOTHING
