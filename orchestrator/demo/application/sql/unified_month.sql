SELECT a.scorecard_id, count(*) AS audits, count(DISTINCT a.employee_id) AS employees
FROM public.audits AS a
WHERE a.submitted_at >= $1 AND a.submitted_at < $2 AND a.deleted_at IS NULL
GROUP BY a.scorecard_id
