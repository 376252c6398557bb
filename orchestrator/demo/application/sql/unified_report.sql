-- The same report from the unified table: one question. What it does not show (the transcript) it does not read.
SELECT a.id, a.scorecard_id, a.interaction_id, a.interaction_date, a.total_score, a.percentage_score, a.passing_status,
       a.total_errors_count, a.submitted_at, a.parameter_scores
FROM public.audits AS a
WHERE a.employee_id = (SELECT e.id FROM public.employees AS e WHERE e.email = $1) AND a.deleted_at IS NULL
ORDER BY a.submitted_at DESC
