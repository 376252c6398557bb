-- The first attempt at the report of one employee, as the demo deploys it, with the defect that somebody planted: the channel
-- is not LEFT joined, so audits whose channel nobody knows are missing. The plan's own is employee_report.sql.
SELECT a.id,
       a.submitted_at,
       a.interaction_date,
       a.scorecard_id,
       s.name AS scorecard_name,
       a.channel_id,
       c.name AS channel_name,
       a.auditor_id,
       auditor.name AS auditor_name,
       a.total_score,
       a.percentage_score,
       a.passing_status,
       a.status,
       a.validation_status,
       a.acknowledgement_status,
       a.critical_errors_count,
       a.total_errors_count,
       a.audit_duration
FROM public.audits AS a
JOIN public.scorecards AS s ON s.id = a.scorecard_id
JOIN public.employees AS auditor ON auditor.id = a.auditor_id
JOIN public.channels AS c ON c.id = a.channel_id
WHERE a.employee_id = (SELECT e.id FROM public.employees AS e WHERE e.email = lower(btrim($1)))
  AND a.deleted_at IS NULL
ORDER BY a.submitted_at DESC
