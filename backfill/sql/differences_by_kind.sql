-- How many rows differ, by kind: what the result says and what decides whether a repair is due.
SELECT d.kind, count(*) AS differences FROM changeover.difference AS d WHERE d.verification_id = $1 GROUP BY d.kind
