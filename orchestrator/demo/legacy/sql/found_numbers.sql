-- What the migration made, in the terms of count_numbers.sql. A placeholder counts while an audit needs it:
-- one that was made for a row which has changed since is nobody's mistake.
WITH person AS (
    SELECT lower(btrim(email)) AS email FROM public.people UNION SELECT lower(btrim(email)) FROM public.users
)
SELECT 'exempt' AS subject, rule AS name, count(*) AS number
FROM public.audits CROSS JOIN LATERAL unnest(legacy_exempt) AS rule GROUP BY rule
UNION ALL
SELECT 'exempt', rule, count(*) FROM public.employees CROSS JOIN LATERAL unnest(legacy_exempt) AS rule GROUP BY rule
UNION ALL
SELECT 'statuses', status.name || '=' || status.value, count(*)
FROM public.audits CROSS JOIN LATERAL (
    VALUES ('passing_status', passing_status), ('validation_status', validation_status),
           ('acknowledgement_status', acknowledgement_status)
) AS status (name, value)
WHERE status.value IS NOT NULL GROUP BY status.name, status.value
UNION ALL
SELECT 'totals', total.name, total.number
FROM (SELECT count(*) AS rows, coalesce(sum(interaction_date - date '2000-01-01'), 0) AS days,
             coalesce(sum(audit_duration), 0) AS seconds, coalesce(sum(total_score * 100), 0)::bigint AS cents
      FROM public.audits) AS k
CROSS JOIN LATERAL (VALUES ('audits', rows), ('interaction_date, days since 2000', days),
                           ('audit_duration, seconds', seconds), ('total_score, hundredths', cents)) AS total (name, number)
UNION ALL
SELECT 'persons', 'employees', count(*) FROM public.employees AS e
WHERE e.email IN (SELECT p.email FROM person AS p) AND 'valid_email_format' <> ALL (e.legacy_exempt)
UNION ALL
SELECT 'persons', 'placeholders', count(*)
FROM public.employees AS e
WHERE e.email NOT IN (SELECT p.email FROM person AS p WHERE p.email IS NOT NULL)
  AND e.id IN (SELECT employee_id FROM public.audits UNION SELECT auditor_id FROM public.audits)
ORDER BY 1, 2
