-- The materialized views of the performance stage (document, 2.5 and Phase 4): figures by employee and by auditor.
--
-- The document's audit_statistics is keyed by channel, quarter and week, each of which may be NULL: NULL equals nothing, so that
-- every refresh would rewrite every such row. And a quarter without its year adds up the first quarters of all years. Here the
-- key holds no NULL: year, quarter and week are computed from the day where the row does not say them, and channel_key is
-- channel_id with the nil uuid for no channel. The day infinity is of the year 0. The department is the employee's, so it need not be in the key.
--
-- Scorecards are joined from outside: until contract the old application may delete one, and its audits still count.

CREATE MATERIALIZED VIEW public.audit_statistics AS
SELECT
    e.id AS employee_id,
    e.name AS employee_name,
    e.employee_id AS employee_code,
    a.scorecard_id,
    s.name AS scorecard_name,
    a.channel_id,
    c.name AS channel_name,
    d.id AS department_id,
    d.name AS department_name,

    a.total_audits,
    a.passed_audits,
    a.failed_audits,
    a.submitted_audits,
    a.validated_audits,

    a.average_score,
    a.min_score,
    a.max_score,
    a.median_score,

    a.average_duration_seconds,
    a.min_duration_seconds,
    a.max_duration_seconds,

    a.total_critical_errors,
    a.total_significant_errors,
    a.total_errors,
    a.average_errors_per_audit,

    a.reversal_requests,
    a.approved_reversals,

    a.first_audit_date,
    a.last_audit_date,
    a.last_submitted_at,

    a.year,
    a.quarter,
    a.week,
    a.channel_key
FROM (
    SELECT
        g.employee_id,
        g.scorecard_id,
        g.channel_id,
        coalesce(g.channel_id, '00000000-0000-0000-0000-000000000000') AS channel_key,
        CASE WHEN isfinite(g.interaction_date) THEN extract(year FROM g.interaction_date)::integer ELSE 0 END AS year,
        coalesce(g.quarter, 'Q' || extract(quarter FROM g.interaction_date), '') AS quarter,
        coalesce(g.week, extract(week FROM g.interaction_date)::integer, 0) AS week,
        count(*) AS total_audits,
        count(*) FILTER (WHERE g.passing_status = 'pass') AS passed_audits,
        count(*) FILTER (WHERE g.passing_status = 'fail') AS failed_audits,
        count(*) FILTER (WHERE g.status = 'submitted') AS submitted_audits,
        count(*) FILTER (WHERE g.status = 'validated') AS validated_audits,
        avg(g.percentage_score) AS average_score,
        min(g.percentage_score) AS min_score,
        max(g.percentage_score) AS max_score,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY g.percentage_score) AS median_score,
        avg(g.audit_duration) AS average_duration_seconds,
        min(g.audit_duration) AS min_duration_seconds,
        max(g.audit_duration) AS max_duration_seconds,
        sum(g.critical_errors_count) AS total_critical_errors,
        sum(g.significant_errors_count) AS total_significant_errors,
        sum(g.total_errors_count) AS total_errors,
        avg(g.total_errors_count) AS average_errors_per_audit,
        count(*) FILTER (WHERE g.reversal_requested_at IS NOT NULL) AS reversal_requests,
        count(*) FILTER (WHERE g.reversal_approved) AS approved_reversals,
        min(g.interaction_date) AS first_audit_date,
        max(g.interaction_date) AS last_audit_date,
        max(g.submitted_at) AS last_submitted_at
    FROM public.audits AS g
    WHERE g.deleted_at IS NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS a
JOIN public.employees AS e ON e.id = a.employee_id
LEFT JOIN public.scorecards AS s ON s.id = a.scorecard_id
LEFT JOIN public.channels AS c ON c.id = a.channel_id
LEFT JOIN public.departments AS d ON d.id = e.department_id
WITH NO DATA;

-- The document names auditor_performance and never defines it: the same figures from the auditor's side, with what their work
-- came to (validated, rejected, disputed, reversed) and how strictly they score.
CREATE MATERIALIZED VIEW public.auditor_performance AS
SELECT
    e.id AS auditor_id,
    e.name AS auditor_name,
    e.employee_id AS auditor_code,
    a.scorecard_id,
    s.name AS scorecard_name,
    a.channel_id,
    c.name AS channel_name,
    d.id AS department_id,
    d.name AS department_name,

    a.total_audits,
    a.audited_employees,
    a.passed_audits,
    a.failed_audits,
    a.submitted_audits,
    a.validated_audits,
    a.rejected_audits,
    a.disputed_audits,

    a.average_score,
    a.min_score,
    a.max_score,
    a.median_score,
    a.score_deviation,

    a.average_duration_seconds,
    a.min_duration_seconds,
    a.max_duration_seconds,

    a.total_critical_errors,
    a.total_errors,
    a.average_errors_per_audit,

    a.reversal_requests,
    a.approved_reversals,

    a.first_audit_date,
    a.last_audit_date,
    a.last_submitted_at,

    a.year,
    a.quarter,
    a.week,
    a.channel_key
FROM (
    SELECT
        g.auditor_id,
        g.scorecard_id,
        g.channel_id,
        coalesce(g.channel_id, '00000000-0000-0000-0000-000000000000') AS channel_key,
        CASE WHEN isfinite(g.interaction_date) THEN extract(year FROM g.interaction_date)::integer ELSE 0 END AS year,
        coalesce(g.quarter, 'Q' || extract(quarter FROM g.interaction_date), '') AS quarter,
        coalesce(g.week, extract(week FROM g.interaction_date)::integer, 0) AS week,
        count(*) AS total_audits,
        count(DISTINCT g.employee_id) AS audited_employees,
        count(*) FILTER (WHERE g.passing_status = 'pass') AS passed_audits,
        count(*) FILTER (WHERE g.passing_status = 'fail') AS failed_audits,
        count(*) FILTER (WHERE g.status = 'submitted') AS submitted_audits,
        count(*) FILTER (WHERE g.status = 'validated') AS validated_audits,
        count(*) FILTER (WHERE g.status = 'rejected') AS rejected_audits,
        count(*) FILTER (WHERE g.acknowledgement_status = 'disputed') AS disputed_audits,
        avg(g.percentage_score) AS average_score,
        min(g.percentage_score) AS min_score,
        max(g.percentage_score) AS max_score,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY g.percentage_score) AS median_score,
        stddev_pop(g.percentage_score) AS score_deviation,
        avg(g.audit_duration) AS average_duration_seconds,
        min(g.audit_duration) AS min_duration_seconds,
        max(g.audit_duration) AS max_duration_seconds,
        sum(g.critical_errors_count) AS total_critical_errors,
        sum(g.total_errors_count) AS total_errors,
        avg(g.total_errors_count) AS average_errors_per_audit,
        count(*) FILTER (WHERE g.reversal_requested_at IS NOT NULL) AS reversal_requests,
        count(*) FILTER (WHERE g.reversal_approved) AS approved_reversals,
        min(g.interaction_date) AS first_audit_date,
        max(g.interaction_date) AS last_audit_date,
        max(g.submitted_at) AS last_submitted_at
    FROM public.audits AS g
    WHERE g.deleted_at IS NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS a
JOIN public.employees AS e ON e.id = a.auditor_id
LEFT JOIN public.scorecards AS s ON s.id = a.scorecard_id
LEFT JOIN public.channels AS c ON c.id = a.channel_id
LEFT JOIN public.departments AS d ON d.id = e.department_id
WITH NO DATA;
