SELECT d.kind, count(*) AS differences FROM changeover.difference AS d WHERE d.verification_id = $1 GROUP BY d.kind
