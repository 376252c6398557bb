-- Which id is whose, in one table.
SELECT id, lower(btrim(employee_email)) AS email FROM {table}
