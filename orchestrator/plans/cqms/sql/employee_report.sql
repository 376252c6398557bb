-- The report of one employee over all scorecards (document, 1.2 and 5.2): one query in the place of one for each table.
-- $1 is the e-mail, as the old application asks, in any case.
--
-- The employee is looked up first, and then their audits come out of idx_audits_employee_submitted in order, with no
-- visit to the table as long as it is vacuumed (740 audits: 23 pages, not 750). It lists what a list shows.
-- The interaction, the transcript and the parameters of one audit are read by its id. An agent may not see the row of
-- every auditor (foundation_security.sql): such an audit is listed without the name.
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
LEFT JOIN public.employees AS auditor ON auditor.id = a.auditor_id
LEFT JOIN public.channels AS c ON c.id = a.channel_id
WHERE a.employee_id = (SELECT e.id FROM public.employees AS e WHERE e.email = lower(btrim($1)))
  AND a.deleted_at IS NULL
ORDER BY a.submitted_at DESC
