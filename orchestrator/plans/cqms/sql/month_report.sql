-- The report of a month, a row for each scorecard (document, 4.2: the reports that read every table and added up in the
-- application). $1 is any day of the month.
--
-- A range and not date_trunc of the column, so that it is a scan of idx_audits_interaction_date, and grouped before the
-- scorecards are joined.
SELECT m.scorecard_id,
       s.name AS scorecard_name,
       m.audits,
       m.passed,
       m.failed,
       m.average_score,
       m.critical_errors,
       m.total_errors,
       m.average_duration_seconds
FROM (
    SELECT a.scorecard_id,
           count(*) AS audits,
           count(*) FILTER (WHERE a.passing_status = 'pass') AS passed,
           count(*) FILTER (WHERE a.passing_status = 'fail') AS failed,
           round(avg(a.percentage_score), 2) AS average_score,
           sum(a.critical_errors_count) AS critical_errors,
           sum(a.total_errors_count) AS total_errors,
           round(avg(a.audit_duration)) AS average_duration_seconds
    FROM public.audits AS a
    WHERE a.interaction_date >= date_trunc('month', $1::date::timestamp)::date
      AND a.interaction_date < (date_trunc('month', $1::date::timestamp) + interval '1 month')::date
      AND a.deleted_at IS NULL
    GROUP BY a.scorecard_id
) AS m
JOIN public.scorecards AS s ON s.id = m.scorecard_id
ORDER BY s.name, m.scorecard_id
