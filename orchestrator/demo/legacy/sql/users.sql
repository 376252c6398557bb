-- Accounts: half of those in people have one, and everybody who is missing there. A few have two, because
-- the provider and the e-mail form spelled the address differently; a few have no address of any use.
CREATE TEMPORARY TABLE account ON COMMIT PRESERVE ROWS AS
SELECT pg_temp.uuid_of(%(seed)s, 'users', r.no) AS id, r.no, 1 AS copy,
       pg_temp.spelled(r.email, pg_temp.dice(pg_temp.row_key(%(seed)s, -3, r.no), 1, 86)) AS email, r.name
FROM roster AS r
WHERE r.no <= %(known)s AND (mod(r.no, 2) = 0 OR mod(r.no, 12) = 5)
UNION ALL
SELECT pg_temp.uuid_of(%(seed)s, 'users again', r.no), r.no, 2, upper(r.email) || ' ', NULL
FROM roster AS r
WHERE r.no <= %(known)s AND mod(r.no, 40) = 14
UNION ALL
SELECT pg_temp.uuid_of(%(seed)s, 'users nobody', n), n, 3,
       CASE n WHEN 1 THEN '' WHEN 2 THEN '  ' WHEN 3 THEN NULL WHEN 4 THEN NULL WHEN 5 THEN 'service-account'
              ELSE 'robot@express' END,
       'Service ' || n
FROM generate_series(1, 6) AS n;

INSERT INTO auth.users (id, email, created_at)
SELECT id, email, timestamptz '2022-02-01 00:00:00+00' + no * interval '1 hour' FROM account;

INSERT INTO public.users
SELECT a.id, a.email,
       CASE WHEN mod(a.no, 31) = 4 THEN NULL ELSE a.name END,
       CASE WHEN mod(a.no, 4) = 2 THEN 'https://lh3.express.example/' || a.no END,
       (ARRAY['google', 'email', 'Google', NULL])[1 + pg_temp.dice(k.key, 2, 4)],
       timestamptz '2022-02-01 00:00:00+00' + a.no * interval '1 hour',
       -- Never the minute of another account of the same person; sometimes older than people.last_login.
       CASE WHEN a.copy = 1 AND mod(a.no, 11) = 9 AND mod(a.no, 40) <> 14 THEN NULL
            ELSE timestamptz '2024-10-20 12:00:00.5+00' + a.no * interval '2 minutes' - a.copy * interval '3 days' * (CASE WHEN mod(a.no, 80) = 54 THEN -1 ELSE 1 END) END,
       CASE WHEN mod(a.no, 5) = 0 THEN timestamptz '2024-12-01 00:00:00+00' + a.no * interval '1 minute' END,
       CASE WHEN mod(a.no, 27) = 2 THEN NULL ELSE pg_temp.dice(k.key, 3, 1200) END,
       CASE pg_temp.dice(k.key, 4, 4) WHEN 0 THEN NULL WHEN 1 THEN '{}'::jsonb WHEN 2 THEN 'null'::jsonb
            ELSE '{"browser": "Firefox", "os": "Linux", "screens": [{"w": 1920.0}]}'::jsonb END,
       CASE pg_temp.dice(k.key, 5, 3) WHEN 0 THEN NULL WHEN 1 THEN '{"email": false}'::jsonb
            ELSE '{"email": true, "push": false, "categories": {"task": false}}'::jsonb END,
       CASE WHEN mod(a.no, 45) = 1 THEN NULL ELSE timestamptz '2022-02-01 00:00:00+00' + a.no * interval '1 hour' END,
       CASE WHEN mod(a.no, 46) = 1 THEN NULL ELSE timestamptz '2024-06-01 00:00:00+00' + a.no * interval '1 minute' END
FROM account AS a
CROSS JOIN LATERAL (SELECT pg_temp.row_key(%(seed)s, -4, a.no * 4 + a.copy) AS key OFFSET 0) AS k
