-- The fixed tables of the legacy system, as §1.1 of the document lists them: no key on people, e-mail
-- as the only link between them, `perameters` spelled as it always was.
CREATE SCHEMA IF NOT EXISTS auth;
CREATE SCHEMA IF NOT EXISTS qa;

CREATE TABLE auth.users (
    id uuid PRIMARY KEY,
    email character varying(255),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.users (
    id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    email text UNIQUE,
    full_name text,
    avatar_url text,
    provider text,
    first_sign_in_at timestamptz,
    last_sign_in_at timestamptz,
    last_sign_out_at timestamptz,
    sign_in_count bigint DEFAULT 0,
    device_info jsonb,
    notification_preferences jsonb,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);

CREATE TABLE public.people (
    email text,
    name text,
    role text,
    department text,
    designation text,
    employee_id text,
    channel text,
    team text,
    team_supervisor text,
    quality_mentor text,
    country text,
    is_active boolean DEFAULT true,
    last_login timestamptz,
    login_count integer DEFAULT 0,
    avatar_url text,
    intercom_admin_alias text
);

CREATE TABLE public.scorecards (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    description text,
    table_name text,
    passing_threshold numeric(5, 2) DEFAULT 80,
    scoring_type text DEFAULT 'deductive',
    channels jsonb DEFAULT '[]',
    is_active boolean DEFAULT true,
    version integer DEFAULT 1,
    parent_scorecard_id uuid REFERENCES public.scorecards (id),
    allow_over_100 boolean DEFAULT false,
    max_bonus_points numeric(5, 2) DEFAULT 0,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);

CREATE TABLE public.scorecard_perameters (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    scorecard_id uuid REFERENCES public.scorecards (id) ON DELETE CASCADE,
    error_name text,
    penalty_points numeric(5, 2) DEFAULT 0,
    parameter_type text,
    field_type text,
    field_id text,
    enable_ai_audit boolean DEFAULT false,
    prompt text,
    is_fail_all boolean DEFAULT false,
    requires_feedback boolean DEFAULT false,
    display_order integer,
    is_active boolean DEFAULT true,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE public.audit_assignments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    employee_email text,
    employee_name text,
    auditor_email text,
    scorecard_id uuid REFERENCES public.scorecards (id),
    status text DEFAULT 'pending',
    scheduled_date date,
    week integer,
    completed_at timestamptz,
    audit_id text,
    conversation_id text,
    intercom_alias text,
    source_type text,
    assigned_by text,
    created_at timestamptz DEFAULT now()
);
