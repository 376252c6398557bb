-- Who has submitted audits that cannot be migrated, or may not be: nobody has audited them, or the score is too large. And
-- whose address is spelled as legacy_submitted.sql does not look for it.
SELECT DISTINCT e.email FROM {table} AS t, LATERAL (SELECT lower(btrim(t.employee_email)) AS email) AS e
WHERE t.submitted_at IS NOT NULL
  AND (t.auditor_email IS NULL OR t.auditor_email !~* '^\s*[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{{2,}}\s*$'
       OR t.average_score::text ~ '^\s*[+-]?\d{{4}}'
       OR t.employee_email <> ALL (ARRAY[e.email, initcap(e.email), upper(e.email), ' ' || e.email, '  ' || e.email, e.email || ' ']))
