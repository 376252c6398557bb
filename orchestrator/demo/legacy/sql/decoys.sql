-- Tables that look like ours and are not: no scorecard names them, so nothing may read or move them.
-- The document's archive step (LIKE '%%_audit%%') would have taken them away.
CREATE TABLE public.security_audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, actor text, what text
);
INSERT INTO public.security_audit_log (at, actor, what)
SELECT timestamptz '2024-01-01 00:00:00+00' + n * interval '13 minutes', 'user' || mod(n, 7),
       (ARRAY['login', 'logout', 'export'])[1 + mod(n, 3)]
FROM generate_series(1, 120) AS n;

CREATE TABLE public.audit_backup (
    id uuid, employee_email text, employee_name text, auditor_email text, interaction_date date, average_score numeric
);
INSERT INTO public.audit_backup
SELECT pg_temp.uuid_of(%(seed)s, 'audit_backup', r.no), r.email, r.name, r.email, date '2021-06-01' + r.no, 100
FROM roster AS r WHERE r.no <= 40;

CREATE TABLE public.email_audit_old (LIKE public.audit_backup);
INSERT INTO public.email_audit_old SELECT * FROM public.audit_backup WHERE interaction_date < date '2021-06-20';

CREATE TABLE qa.audit_settings (name text PRIMARY KEY, value jsonb);
INSERT INTO qa.audit_settings VALUES ('sampling', '{"percent": 2}'), ('reviewers', '[]')
