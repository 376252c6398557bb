-- What discovery reported.
SELECT code, count(DISTINCT subject) FROM changeover.finding GROUP BY code ORDER BY 1
