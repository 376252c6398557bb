-- One row per number: what it belongs to, its name, the number. NULL comparisons let a row through, as a CHECK does.
WITH kept AS (SELECT * FROM judged WHERE reason IS NULL),
persons AS (SELECT * FROM judged_people WHERE reason IS NULL)
SELECT 'exempt' AS subject, rule.name, count(*) AS number
FROM kept CROSS JOIN LATERAL (
    VALUES ('no_self_audit', employee = auditor), ('valid_dates', audit_end_time < audit_start_time),
           ('valid_duration', seconds < 0), ('valid_score', score < 0), ('valid_percentage', score < 0 OR score > 100)
) AS rule (name, broken)
WHERE rule.broken GROUP BY rule.name
UNION ALL
SELECT 'exempt', 'unique_employee_id', count(employee_id) - count(DISTINCT employee_id)
FROM persons WHERE source = 'public.people'
UNION ALL
-- Who is assigned under a text that is no e-mail becomes an employee of that name, and breaks the rule for e-mails.
SELECT 'exempt', 'valid_email_format', count(DISTINCT lower(btrim(email)))
FROM public.audit_assignments CROSS JOIN LATERAL (VALUES (employee_email), (auditor_email)) AS assigned (email)
WHERE btrim(email) <> '' AND lower(btrim(email)) !~ '^[a-z0-9._%+''-]+@[a-z0-9.-]+\.[a-z]{2,}$' HAVING count(*) > 0
UNION ALL
SELECT 'statuses', status.name, count(*)
FROM kept CROSS JOIN LATERAL (
    VALUES (CASE WHEN passing IN ('pass', 'passed') THEN 'passing_status=pass'
                 WHEN passing IN ('fail', 'failed') THEN 'passing_status=fail'
                 WHEN passing = 'pending' THEN 'passing_status=pending' END),
           (CASE WHEN validation IN ('approved', 'validated') THEN 'validation_status=approved'
                 WHEN validation = 'rejected' THEN 'validation_status=rejected'
                 WHEN validation = 'pending' THEN 'validation_status=pending' END),
           (CASE WHEN acknowledgement = 'acknowledged' THEN 'acknowledgement_status=acknowledged'
                 WHEN acknowledgement = 'disputed' THEN 'acknowledgement_status=disputed'
                 WHEN acknowledgement = 'pending' THEN 'acknowledgement_status=pending' END)
) AS status (name)
WHERE status.name IS NOT NULL GROUP BY status.name
UNION ALL
SELECT 'totals', total.name, total.number
FROM (SELECT count(*) AS rows, coalesce(sum(day - date '2000-01-01'), 0) AS days, coalesce(sum(seconds), 0) AS seconds,
             coalesce(sum(score * 100), 0)::bigint AS cents
      FROM kept) AS k
CROSS JOIN LATERAL (VALUES ('audits', rows), ('interaction_date, days since 2000', days),
                           ('audit_duration, seconds', seconds), ('total_score, hundredths', cents)) AS total (name, number)
UNION ALL
SELECT 'persons', 'employees', count(DISTINCT email) FROM persons
UNION ALL
SELECT 'persons', 'placeholders', count(*)
FROM (SELECT employee AS email FROM kept UNION SELECT auditor FROM kept EXCEPT SELECT email FROM persons) AS stranger
UNION ALL
-- DISTINCT first and counted then: hashed, where count(DISTINCT) would sort four million texts.
SELECT 'spellings', spelling.name, count(spelling.text)
FROM (
    SELECT DISTINCT pair.name, pair.text FROM finished CROSS JOIN LATERAL (
        VALUES ('passing_status', passing_status), ('validation_status', validation_status),
               ('acknowledgement_status', acknowledgement_status), ('audits.channel', channel)
    ) AS pair (name, text)
) AS spelling
GROUP BY spelling.name
UNION ALL
SELECT 'spellings', spelling.name, count(DISTINCT spelling.text)
FROM public.people CROSS JOIN LATERAL (
    VALUES ('people.role', role), ('people.department', department), ('people.team', team),
           ('people.channel', channel), ('people.country', country)
) AS spelling (name, text)
GROUP BY spelling.name
UNION ALL
-- Persons whose e-mail is written in more than one way, over all tables.
SELECT 'spellings', 'persons spelled in several ways', count(*)
FROM (SELECT FROM (SELECT employee_email AS email FROM finished UNION SELECT auditor_email FROM finished
                   UNION SELECT email FROM public.people UNION SELECT email FROM public.users) AS e
      GROUP BY lower(btrim(email)) HAVING count(*) > 1) AS several
ORDER BY 1, 2
