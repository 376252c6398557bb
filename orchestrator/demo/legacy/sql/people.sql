-- people: no key, so a person can stand in it twice (and does), in different spellings, and the e-mail
-- can be anything. Every twelfth known person is missing here and is found in users only.
INSERT INTO public.people
SELECT pg_temp.spelled(r.email, pg_temp.dice(k.key, 3, 100)),
       CASE WHEN mod(r.no, 37) = 5 THEN NULL WHEN mod(r.no, 41) = 6 THEN upper(r.name) ELSE r.name END,
       (ARRAY['agent', 'Agent', 'AGENT', 'Auditor', 'auditor ', 'Team Lead', 'team lead', 'Manager', 'admin',
              NULL, '', 'QA Analyst'])[1 + pg_temp.dice(k.key, 4, 12)],
       (ARRAY['Support', 'support', 'Sales ', 'Sales', 'Quality', 'Back Office', 'BACK OFFICE', NULL, '',
              'Dept. that closed in 2019'])[1 + pg_temp.dice(k.key, 5, 10)],
       (ARRAY['Agent L1', 'Agent L2', 'Senior', NULL, ''])[1 + pg_temp.dice(k.key, 6, 5)],
       -- Every 23rd person was given the number of the one before, when numbers were typed by hand.
       CASE WHEN mod(r.no, 19) = 4 THEN NULL WHEN mod(r.no, 23) = 0 THEN 'E' || lpad((r.no - 1)::text, 6, '0')
            ELSE 'E' || lpad(r.no::text, 6, '0') END,
       (ARRAY['Email', 'email ', 'EMAIL', 'Chat', 'chat', 'Phone', 'WhatsApp', NULL, '', 'Fax'])[1 + pg_temp.dice(k.key, 7, 10)],
       (ARRAY['Team A', 'team a', 'Team B', ' Team C', 'Night Owls', NULL, '', '???'])[1 + pg_temp.dice(k.key, 8, 8)],
       CASE pg_temp.dice(k.key, 9, 4) WHEN 0 THEN NULL WHEN 1 THEN 'the lead of the shift' WHEN 2 THEN upper(other.email) ELSE other.email END,
       CASE pg_temp.dice(k.key, 10, 4) WHEN 0 THEN NULL WHEN 1 THEN 'somebody who left' WHEN 2 THEN '' ELSE other.email END,
       (ARRAY['UK', 'GB', 'GBR', 'United Kingdom', 'usa', 'US ', 'Germany', 'DEU', 'de', 'Atlantis', '', NULL,
              'Turkey', 'Türkiye', 'Philippines', 'PHL'])[1 + pg_temp.dice(k.key, 11, 16)],
       pg_temp.dice(k.key, 12, 6) > 0,
       -- A different minute for everybody, so that "the latest" is always one person.
       CASE WHEN mod(r.no, 13) = 7 THEN NULL ELSE timestamptz '2024-11-01 00:00:00+00' + r.no * interval '1 minute' END,
       CASE WHEN mod(r.no, 29) = 3 THEN NULL ELSE pg_temp.dice(k.key, 13, 900) END,
       CASE WHEN mod(r.no, 3) = 0 THEN 'https://cdn.express.example/' || r.no || '.png' END,
       CASE WHEN mod(r.no, 5) = 0 THEN lower(split_part(r.name, ' ', 1)) || '_' || r.no END
FROM roster AS r
JOIN roster AS other ON other.no = 1 + mod(r.no, %(known)s::integer)
CROSS JOIN LATERAL (SELECT pg_temp.row_key(%(seed)s, -2, r.no) AS key OFFSET 0) AS k
WHERE r.no <= %(known)s AND mod(r.no, 12) <> 5
