-- Whose audits have an id that stands in two tables: one of the two is going to be rejected.
SELECT DISTINCT unnest(array_agg(r.email)) AS email FROM ({rows}) AS r GROUP BY r.id HAVING count(*) > 1
