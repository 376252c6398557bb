-- Work that was handed out for the audits of one table (the view `audit`): three in ten audits have one, with the audit's id
-- as text (a uuid, a number, or what the table has). Some point nowhere, some are not done yet, some were
-- assigned by `system`, and the addresses are spelled as everywhere else.
INSERT INTO public.audit_assignments
SELECT pg_temp.uuid_of(%(seed)s, %(label)s || ' assignment', h.n),
       CASE WHEN pg_temp.dice(h.key, 2, 10) = 0 THEN upper(t.employee_email) ELSE t.employee_email END,
       t.employee_name, t.auditor_email, %(scorecard)s::uuid,
       CASE WHEN h.open THEN (ARRAY['pending', 'Pending', 'in progress', 'Cancelled', NULL])[1 + pg_temp.dice(h.key, 3, 5)]
            ELSE (ARRAY['completed', 'Completed', 'COMPLETED', 'done'])[1 + pg_temp.dice(h.key, 3, 4)] END,
       CASE WHEN pg_temp.dice(h.key, 4, 50) > 0 THEN h.day END,
       CASE WHEN pg_temp.dice(h.key, 5, 3) > 0 THEN extract(week FROM h.day)::integer END,
       CASE WHEN NOT h.open THEN h.day + interval '30 hours' END,
       CASE WHEN h.open THEN NULL WHEN pg_temp.dice(h.key, 6, 60) = 0 THEN 'lost-' || h.n ELSE t.id::text END,
       'conv-' || h.n, CASE WHEN pg_temp.dice(h.key, 7, 3) = 0 THEN 'alias_' || h.n END,
       (ARRAY['manual', 'Manual', 'auto', 'import', 'api', NULL])[1 + pg_temp.dice(h.key, 8, 6)],
       CASE pg_temp.dice(h.key, 9, 5) WHEN 0 THEN 'system' WHEN 1 THEN NULL WHEN 2 THEN '' ELSE t.auditor_email END,
       h.day + interval '8 hours'
FROM (SELECT id, employee_email, employee_name, auditor_email, row_number() OVER (ORDER BY id) AS n FROM audit) AS t
CROSS JOIN LATERAL (
    SELECT t.n, pg_temp.row_key(%(seed)s, 1000 + %(place)s, t.n) AS key,
           pg_temp.dice(pg_temp.row_key(%(seed)s, 1000 + %(place)s, t.n), 10, 5) = 0 AS open,
           timestamptz '2022-01-03 00:00:00+00' + mod(t.n, 1100) * interval '1 day' AS day
    OFFSET 0
) AS h
WHERE pg_temp.dice(h.key, 1, 10) < 3
