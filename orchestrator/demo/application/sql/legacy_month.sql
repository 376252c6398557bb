-- A month in one table, by the one date that every table has.
SELECT count(*) AS audits, count(DISTINCT employee_email) AS employees
FROM {table} WHERE submitted_at >= $1 AND submitted_at < $2
