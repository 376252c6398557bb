-- Which of these ids stand in this table as well.
SELECT id::text FROM {table} WHERE id = ANY ($1::text[]::uuid[])
