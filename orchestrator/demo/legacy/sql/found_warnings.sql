-- What discovery reported.
SELECT code, count(DISTINCT subject) FROM changeover.warning GROUP BY code ORDER BY 1
