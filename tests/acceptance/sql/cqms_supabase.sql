-- A small CQMS as Supabase has it: the tables of the document with schema auth beside them. Two scorecards with a table each,
-- a team with its supervisor, people of both spellings, an auditor who is no user, an audit of somebody who is in neither table.
-- Supabase gives its roles every right on each new table.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
RETURN nullif(current_setting('request.jwt.claim.sub', true), '')::uuid;

CREATE TABLE public.users (
    id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE, email text UNIQUE, full_name text, avatar_url text,
    provider text, first_sign_in_at timestamptz, last_sign_in_at timestamptz, last_sign_out_at timestamptz,
    sign_in_count bigint DEFAULT 0, device_info jsonb, notification_preferences jsonb,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
);
CREATE TABLE public.people (
    email text, name text, role text, department text, designation text, employee_id text, channel text, team text,
    team_supervisor text, quality_mentor text, country text, is_active boolean DEFAULT true, last_login timestamptz,
    login_count integer DEFAULT 0, avatar_url text, intercom_admin_alias text
);
CREATE TABLE public.scorecards (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, description text, table_name text,
    passing_threshold numeric(5, 2) DEFAULT 80, scoring_type text, channels jsonb DEFAULT '[]', is_active boolean DEFAULT true,
    version integer DEFAULT 1, parent_scorecard_id uuid REFERENCES public.scorecards (id), allow_over_100 boolean DEFAULT false,
    max_bonus_points numeric(5, 2) DEFAULT 0, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
);
CREATE TABLE public.scorecard_perameters (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), scorecard_id uuid REFERENCES public.scorecards (id) ON DELETE CASCADE,
    error_name text, penalty_points numeric(5, 2) DEFAULT 0, parameter_type text, field_type text, field_id text,
    enable_ai_audit boolean DEFAULT false, prompt text, is_fail_all boolean DEFAULT false, requires_feedback boolean DEFAULT false,
    display_order integer, is_active boolean DEFAULT true, created_at timestamptz DEFAULT now()
);
CREATE TABLE public.audit_assignments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), employee_email text, employee_name text, auditor_email text,
    scorecard_id uuid REFERENCES public.scorecards (id), status text DEFAULT 'pending', scheduled_date date, week integer,
    completed_at timestamptz, audit_id text, conversation_id text, intercom_alias text, source_type text, assigned_by text,
    created_at timestamptz DEFAULT now()
);
CREATE TABLE public.email_audit (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), employee_email text, employee_name text, auditor_email text, auditor_name text,
    interaction_id text, interaction_date date, channel text, transcript text, average_score numeric,
    critical_errors integer DEFAULT 0, total_errors_count integer DEFAULT 0, passing_status text, validation_status text,
    acknowledgement_status text, audit_duration text, submitted_at timestamptz, audit_start_time timestamptz,
    audit_end_time timestamptz, reversal_requested_at timestamptz, reversal_approved boolean,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(), grammar integer, tone integer, tone_feedback text
);
CREATE TABLE public.chat_audit (LIKE public.email_audit INCLUDING ALL);

INSERT INTO auth.users (id, email)
SELECT md5('user ' || i)::uuid, 'u' || i || '@cqms.example' FROM generate_series(1, 12) AS i;
INSERT INTO public.users (id, email, full_name, sign_in_count, last_sign_in_at)
SELECT u.id, u.email, 'User ' || u.email, 3, '2025-01-01 10:00+00' FROM auth.users AS u;
-- u1 to u6 are agents of team North, which u7 supervises; u8 to u10 of team South; u11 and u12 audit.
INSERT INTO public.people (email, name, role, department, employee_id, channel, team, team_supervisor, country, is_active)
SELECT CASE i % 3 WHEN 0 THEN upper('u' || i || '@cqms.example') ELSE 'u' || i || '@cqms.example' END, 'Person ' || i,
       CASE WHEN i = 7 THEN 'Team Lead' WHEN i > 10 THEN 'Auditor' ELSE 'Agent' END, 'Support', 'E' || i,
       CASE i % 2 WHEN 0 THEN 'Email' ELSE 'Chat' END, CASE WHEN i <= 7 THEN 'North' WHEN i <= 10 THEN 'South' END,
       CASE WHEN i < 7 THEN 'u7@cqms.example' END, 'Thailand', true
FROM generate_series(1, 14) AS i;
INSERT INTO public.scorecards (name, table_name) VALUES ('Email', 'email_audit'), ('Chat', 'chat_audit');
INSERT INTO public.scorecard_perameters (scorecard_id, error_name, penalty_points, field_id, parameter_type)
SELECT s.id, initcap(f.id), 5, f.id, 'error' FROM public.scorecards AS s CROSS JOIN unnest(ARRAY['grammar', 'tone']) AS f (id);
INSERT INTO public.email_audit (
    id, employee_email, employee_name, auditor_email, interaction_id, interaction_date, channel, average_score, critical_errors,
    total_errors_count, passing_status, validation_status, audit_duration, submitted_at, reversal_requested_at, reversal_approved,
    grammar, tone, tone_feedback
)
SELECT md5('email ' || i)::uuid, 'U' || 1 + i % 10 || '@cqms.example', 'Person', 'u' || 11 + i % 2 || '@cqms.example', 'I' || i,
       date '2023-01-02' + i * 3, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'email' ELSE 'Email' END, 60 + i % 40, i % 2, i % 4,
       (ARRAY['Passed', 'FAIL', 'pass', NULL])[1 + i % 4], (ARRAY['Approved', 'rejected', NULL])[1 + i % 3], '00:1' || i % 10 || ':00',
       timestamptz '2023-01-02 08:00+00' + i * interval '3 days', CASE WHEN i % 9 = 0 THEN now() END, i % 18 = 0, i % 3, i % 2, 'so so'
FROM generate_series(1, 240) AS i;
INSERT INTO public.chat_audit (id, employee_email, employee_name, auditor_email, interaction_date, channel, average_score, submitted_at, tone)
SELECT md5('chat ' || i)::uuid, CASE i % 20 WHEN 0 THEN 'gone@cqms.example' ELSE 'u' || 1 + i % 10 || '@cqms.example' END, 'Person',
       'u11@cqms.example', date '2025-02-03' + i, 'Chat', 100, timestamptz '2025-02-03 09:00+00' + i * interval '1 day', i % 2
FROM generate_series(1, 60) AS i;
INSERT INTO public.chat_audit (employee_email, auditor_email, interaction_date) VALUES ('nobody', 'u11@cqms.example', '2025-03-01');
INSERT INTO public.audit_assignments (employee_email, employee_name, auditor_email, scorecard_id, status, scheduled_date, week, assigned_by)
SELECT 'u' || 1 + i % 10 || '@cqms.example', 'Person', CASE i % 3 WHEN 0 THEN 'U12@cqms.example' ELSE 'u11@cqms.example' END, s.id,
       (ARRAY['pending', 'completed', 'Cancelled'])[1 + i % 3], date '2025-04-01' + i, 14, CASE i % 2 WHEN 0 THEN 'system' ELSE 'u7@cqms.example' END
FROM generate_series(1, 30) AS i JOIN public.scorecards AS s ON s.name = 'Email';
