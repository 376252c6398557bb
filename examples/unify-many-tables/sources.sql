-- Which tables are sources, and the office that each stands for.
SELECT table_name, substr(table_name, 8) AS discriminator, 1 AS rank
FROM information_schema.tables
WHERE table_schema = 'public' AND table_name ~ '^visits_\d+$'
