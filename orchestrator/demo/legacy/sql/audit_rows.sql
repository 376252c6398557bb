-- The rows of one audit table before they are cut to its columns and types. One number, `kind`, says what
-- is wrong with a row, so that what a row breaks can be counted and no row has two reasons to be rejected:
--    1 employee NULL, 2 blank, 3 malformed     4 auditor NULL, 23 blank, 5 malformed    (invalid_email)
--    6, 7, 8 no interaction_date: taken from submitted_at, audit_start_time, created_at
--    9 no date anywhere (no_date)             10 a score beyond numeric(5,2) (number_too_large)
--   11 self-audit   12 end before start   13 negative duration   15 score over 100   16 negative score
--   21 three rules at once (self-audit, end before start, over 100)
--   14 a duration that is none   17 employee has left   18 auditor has left   19 seconds from midnight
--   20 statuses nobody knows   22 everything optional NULL   24 nasty text   25 a transcript that is toasted
-- A row of the kinds that are rejected names only people who are known, so that the placeholders of the
-- leavers do not depend on whether a rejected row makes one.
SELECT d.n, d.key, d.kind,
       pg_temp.uuid_of(%(seed)s, %(label)s, d.n) AS id__uuid,
       d.n + d.n / 50 AS id__bigint,
       CASE WHEN mod(d.n, 2) = 0 THEN 'QA-' ELSE 'qa-' END || (d.n / 2) AS id__text,
       CASE d.kind WHEN 1 THEN NULL WHEN 2 THEN repeat(' ', pg_temp.dice(d.key, 30, 3))
                   WHEN 3 THEN pg_temp.malformed(pg_temp.dice(d.key, 30, 8))
                   ELSE pg_temp.spelled(e.email, pg_temp.dice(d.key, 10, 100)) END AS employee_email,
       CASE WHEN d.kind = 22 THEN NULL WHEN pg_temp.dice(d.key, 11, 15) = 0 THEN upper(e.name) ELSE e.name END AS employee_name,
       CASE d.kind WHEN 4 THEN NULL WHEN 23 THEN repeat(' ', pg_temp.dice(d.key, 30, 3))
                   WHEN 5 THEN pg_temp.malformed(pg_temp.dice(d.key, 30, 8))
                   WHEN 11 THEN pg_temp.spelled(e.email, pg_temp.dice(d.key, 12, 100))
                   WHEN 21 THEN upper(e.email)
                   ELSE pg_temp.spelled(a.email, pg_temp.dice(d.key, 12, 100)) END AS auditor_email,
       CASE WHEN d.kind = 22 THEN NULL ELSE a.name END AS auditor_name,
       CASE WHEN d.kind = 22 THEN NULL ELSE 'conv-' || abs(d.key) END AS interaction_id,
       CASE WHEN d.kind BETWEEN 6 AND 9 THEN NULL
            WHEN d.kind = 19 THEN d.at::date ELSE d.at::date - pg_temp.dice(d.key, 13, 3) END AS interaction_date,
       CASE WHEN d.kind BETWEEN 6 AND 9 THEN NULL ELSE d.at END AS interaction_date__timestamptz,
       CASE d.kind WHEN 6 THEN 'n/a' WHEN 7 THEN '' WHEN 8 THEN NULL WHEN 9 THEN 'TBD'
                   WHEN 14 THEN '05/03/2024' WHEN 20 THEN '2024-02-30' WHEN 19 THEN d.at::text
                   ELSE d.at::date::text END AS interaction_date__text,
       CASE WHEN d.kind = 22 THEN NULL
            ELSE (ARRAY['Email', 'email', 'EMAIL ', 'Chat', 'chat', 'Phone', 'call', 'WhatsApp', NULL, '', 'Fax', 'In App'])
                 [1 + pg_temp.dice(d.key, 14, 12)] END AS channel,
       CASE d.kind WHEN 22 THEN NULL
            WHEN 24 THEN E'"quotes" ''single'' C:\\path\\new  $tag$ %% {0} \u00e9\U0001F600 line\r\nline\ttab \\N \\. '
            WHEN 25 THEN (SELECT string_agg(md5(d.key::text || i), ' ') FROM generate_series(1, 120) AS i)
            ELSE substr(c.words, 1 + pg_temp.dice(d.key, 15, 700), 350 + pg_temp.dice(d.key, 16, 350)) END AS transcript,
       d.score AS average_score,
       CASE d.kind WHEN 14 THEN 'N/A' WHEN 20 THEN '' WHEN 24 THEN 'n.v.t.' ELSE d.score::text END AS average_score__text,
       CASE WHEN d.kind = 22 THEN NULL ELSE pg_temp.dice(d.key, 17, 3) END AS critical_errors,
       CASE WHEN d.kind = 22 THEN NULL ELSE pg_temp.dice(d.key, 17, 3) + pg_temp.dice(d.key, 18, 6) END AS total_errors_count,
       CASE d.kind WHEN 20 THEN (ARRAY['Borderline', '???', 'passd'])[1 + pg_temp.dice(d.key, 30, 3)] WHEN 22 THEN NULL
            ELSE (ARRAY['pass', 'Pass', 'Passed', 'PASS', 'passed ', 'fail', 'FAIL', 'Failed', 'failed', 'pending', 'Pending',
                        'Needs Review', 'N/A', NULL, ''])[1 + pg_temp.dice(d.key, 19, 15)] END AS passing_status,
       CASE d.kind WHEN 20 THEN 'see e-mail' WHEN 22 THEN NULL
            ELSE (ARRAY['approved', 'Approved', 'Validated', 'validated', 'pending', 'Pending', 'PENDING', 'rejected', 'Rejected',
                        'needs_revision', 'N/A', NULL, NULL, ''])[1 + pg_temp.dice(d.key, 20, 14)] END AS validation_status,
       CASE d.kind WHEN 20 THEN 'ok' WHEN 22 THEN NULL
            ELSE (ARRAY['acknowledged', 'Acknowledged', 'ACKNOWLEDGED', 'pending', 'Pending', 'disputed', 'Disputed',
                        'N/A', NULL, ''])[1 + pg_temp.dice(d.key, 21, 10)] END AS acknowledgement_status,
       CASE d.kind WHEN 13 THEN '-00:05:30' WHEN 22 THEN NULL
            WHEN 14 THEN (ARRAY['approx. 5 min', '', 'N/A', '12:61:00', '--'])[1 + pg_temp.dice(d.key, 30, 5)]
            ELSE lpad((d.seconds / 3600)::text, 2, '0') || ':' || lpad(mod(d.seconds / 60, 60)::text, 2, '0')
                 || ':' || lpad(mod(d.seconds, 60)::text, 2, '0') END AS audit_duration,
       CASE WHEN d.kind = 13 THEN -330 WHEN d.kind IN (14, 22) THEN NULL ELSE d.seconds END AS audit_duration__integer,
       CASE WHEN d.kind IN (7, 8, 9, 22) THEN NULL WHEN d.kind = 0 AND pg_temp.dice(d.key, 22, 12) = 0 THEN NULL
            WHEN d.kind = 19 THEN d.at ELSE d.at + interval '2 hours' END AS submitted_at,
       CASE WHEN d.kind IN (8, 9, 22) THEN NULL ELSE d.at END AS audit_start_time,
       CASE WHEN d.kind IN (8, 9, 22) THEN NULL WHEN d.kind IN (12, 21) THEN d.at - interval '20 minutes'
            ELSE d.at + d.seconds * interval '1 second' END AS audit_end_time,
       CASE WHEN d.kind <> 9 AND pg_temp.dice(d.key, 23, 30) = 0 THEN d.at + interval '3 days' END AS reversal_requested_at,
       CASE WHEN d.kind <> 9 AND pg_temp.dice(d.key, 23, 30) = 0 THEN pg_temp.dice(d.key, 24, 2) = 0 END AS reversal_approved,
       CASE WHEN d.kind = 9 THEN NULL ELSE d.at + interval '1.5 seconds' END AS created_at,
       CASE WHEN d.kind IN (9, 22) THEN NULL ELSE d.at + interval '1 day' END AS updated_at,
       CASE WHEN pg_temp.dice(d.key, 25, 3) > 0 THEN 'Q' || extract(quarter FROM d.at) END AS quarter,
       CASE WHEN pg_temp.dice(d.key, 26, 3) > 0 THEN extract(week FROM d.at)::integer END AS week
FROM (
    SELECT k.n, k.key, k.kind,
           CASE WHEN k.kind = 19
                THEN date_trunc('day', k.at) + (CASE WHEN pg_temp.dice(k.key, 9, 2) = 0 THEN interval '23:59:30' ELSE interval '20 seconds' END)
                ELSE k.at END AS at,
           CASE WHEN pg_temp.dice(k.key, 4, 400) = 0 THEN 97805 ELSE 30 + pg_temp.dice(k.key, 5, 5400) END AS seconds,
           CASE WHEN k.kind = 10 THEN (ARRAY[12345.67, 1000, -4321.5])[1 + pg_temp.dice(k.key, 30, 3)]
                WHEN k.kind IN (15, 21) THEN 101 + pg_temp.dice(k.key, 30, 3000) / 100.0
                WHEN k.kind = 16 THEN -1 - pg_temp.dice(k.key, 30, 500) / 10.0
                WHEN k.kind = 22 THEN NULL
                -- Some were computed by an average and never rounded.
                WHEN pg_temp.dice(k.key, 6, 40) = 0 THEN 50 + pg_temp.dice(k.key, 7, 100) / 3.0
                ELSE 40 + pg_temp.dice(k.key, 7, 6001) / 100.0 END::numeric AS score,
           CASE WHEN k.kind = 17 THEN %(known)s + 1 + pg_temp.dice(k.key, 8, %(leavers)s) ELSE k.employee END AS employee,
           CASE WHEN k.kind = 18 THEN %(known)s + 1 + pg_temp.dice(k.key, 8, %(leavers)s)
                WHEN k.auditor = k.employee THEN 1 + mod(k.auditor, %(auditors)s) ELSE k.auditor END AS auditor
    FROM (
        SELECT g.n, g.key, pg_temp.kind(g.key, %(place)s, g.n) AS kind,
               timestamptz '2022-01-03 07:00:00+00' + pg_temp.dice(g.key, 3, 1600000) * interval '1 minute' AS at,
               1 + pg_temp.dice(g.key, 27, %(known)s) AS employee,
               1 + pg_temp.dice(g.key, 28, %(auditors)s) AS auditor
        FROM (
            SELECT n, pg_temp.row_key(%(seed)s, %(place)s, n) AS key
            FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n OFFSET 0
        ) AS g OFFSET 0
    ) AS k OFFSET 0
) AS d
JOIN roster AS e ON e.no = d.employee
JOIN roster AS a ON a.no = d.auditor
CROSS JOIN (
    SELECT repeat('Agent: how can I help you? Client: the parcel has not arrived, order 4711. Agent: let me look. '
                  || 'Client: I have waited for nine days now. Agent: I am sorry, it left the warehouse on Monday. ', 9) AS words
    OFFSET 0
) AS c
