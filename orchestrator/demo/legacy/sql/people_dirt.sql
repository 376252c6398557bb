-- The rows of people that lose, or cannot become anybody: the same person in another spelling (newer or
-- older, active or not), the very same row twice (there is no key to stop it), and e-mails of no use.
INSERT INTO public.people
SELECT CASE copy WHEN 1 THEN upper(r.email) WHEN 2 THEN ' ' || initcap(r.email) ELSE p.email END,
       CASE copy WHEN 3 THEN p.name ELSE split_part(p.name, ' ', 2) || ', ' || split_part(p.name, ' ', 1) END,
       p.role,
       CASE copy WHEN 3 THEN p.department ELSE 'Support' END,
       p.designation, p.employee_id, p.channel, p.team, p.team_supervisor, p.quality_mentor, p.country,
       CASE copy WHEN 1 THEN mod(r.no, 2) = 0 WHEN 2 THEN false ELSE p.is_active END,
       -- Whole days and some seconds away: nobody else's minute.
       CASE copy WHEN 1 THEN timestamptz '2024-11-01 00:00:20+00' + r.no * interval '1 minute' - interval '900 days'
                 WHEN 2 THEN timestamptz '2024-11-01 00:00:40+00' + r.no * interval '1 minute' + interval '9 days'
                 ELSE p.last_login END,
       p.login_count, p.avatar_url, p.intercom_admin_alias
FROM roster AS r
JOIN public.people AS p ON lower(btrim(p.email)) = r.email
CROSS JOIN generate_series(1, 3) AS copy
WHERE r.no <= %(known)s
  AND CASE copy WHEN 1 THEN mod(r.no, 17) = 3 WHEN 2 THEN mod(r.no, 51) = 3 ELSE mod(r.no, 97) = 8 END;

INSERT INTO public.people (email, name, role, department, employee_id, is_active, last_login, login_count)
SELECT CASE mod(n, 4) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '   ' ELSE pg_temp.malformed(n / 4) END,
       'Nobody ' || n, 'agent', 'Support', 'X' || lpad(n::text, 6, '0'), mod(n, 3) = 0,
       timestamptz '2023-05-01 00:00:00+00' + n * interval '1 hour', n
FROM generate_series(1, 8 + %(known)s::integer / 60) AS n
