-- The tables of the foundation stage (document, 2.1 and 2.2): who works here, and what they belong to.
--
-- Only what the mirror needs stands here: columns, primary keys, and the unique keys that ON CONFLICT and the
-- lookups use. Other indexes (foundation_indexes.sql) and foreign keys (foundation_keys.sql) come after the rows,
-- which copies several times faster, and which undoes the circle employees - departments - teams - channels that
-- makes the document as written impossible to create in any order.
--
-- New rules bind new rows. A legacy row that breaks a rule carries the name of the rule in legacy_exempt, and the
-- CHECK of that name lets it through. A NULL among the names would make every CHECK of the row unknown, that is
-- satisfied, so exempt_names_are_given forbids it.

CREATE TABLE public.roles (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name           text NOT NULL,
    code           text NOT NULL CONSTRAINT roles_code_key UNIQUE,
    level          integer NOT NULL CONSTRAINT valid_level CHECK (level BETWEEN 0 AND 10),
    description    text,
    permissions    jsonb DEFAULT '{}'::jsonb,
    is_system_role boolean NOT NULL DEFAULT false,
    is_active      boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.departments (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                 text NOT NULL,
    code                 text CONSTRAINT departments_code_key UNIQUE,
    description          text,
    parent_department_id uuid,
    manager_id           uuid,
    budget_code          text,
    is_active            boolean NOT NULL DEFAULT true,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.teams (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL,
    code          text CONSTRAINT teams_code_key UNIQUE,
    channel_id    uuid,
    supervisor_id uuid,
    department_id uuid,
    description   text,
    capacity      integer,
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.channels (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                 text NOT NULL,
    code                 text NOT NULL CONSTRAINT channels_code_key UNIQUE,
    description          text,
    icon_url             text,
    color_hex            text,
    default_scorecard_id uuid,
    is_active            boolean NOT NULL DEFAULT true,
    display_order        integer DEFAULT 0,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.countries (
    code          text PRIMARY KEY,
    name          text NOT NULL,
    iso_alpha3    text CONSTRAINT countries_iso_alpha3_key UNIQUE,
    numeric_code  text,
    region        text,
    timezone      text,
    currency_code text
);

-- Names are unique as people read them, in any case and with blanks around them. This is stronger than the UNIQUE
-- (name) of the document, which is therefore left out, and it is what ON CONFLICT and the lookups by name use.
CREATE UNIQUE INDEX roles_folded_name_key ON public.roles (lower(btrim(name)));

CREATE UNIQUE INDEX departments_folded_name_key ON public.departments (lower(btrim(name)));

CREATE UNIQUE INDEX channels_folded_name_key ON public.channels (lower(btrim(name)));

-- The legacy rows know a team by its name alone, so a name has to lead to one team: this takes the place of
-- UNIQUE (name, channel_id), which with a NULL channel would hold nothing unique.
CREATE UNIQUE INDEX teams_folded_name_key ON public.teams (lower(btrim(name)));

-- role_id has no default: a row whose role nobody knows takes the system role UNASSIGNED, and somebody says so.
-- auth_user_id refers to auth.users in foundation_keys_auth.sql, where that table exists.
CREATE TABLE public.employees (
    id                       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    auth_user_id             uuid CONSTRAINT employees_auth_user_id_key UNIQUE,
    email                    text NOT NULL CONSTRAINT employees_email_key UNIQUE,
    employee_id              text CONSTRAINT employees_employee_id_key UNIQUE,

    name                     text NOT NULL,
    display_name             text,
    avatar_url               text,
    phone                    text,
    timezone                 text DEFAULT 'UTC',

    role_id                  uuid NOT NULL,
    department_id            uuid,
    designation              text,
    channel_id               uuid,
    team_id                  uuid,

    supervisor_id            uuid,
    quality_mentor_id        uuid,
    reporting_manager_id     uuid,

    country_code             text,
    region                   text,
    office_location          text,

    intercom_admin_id        text,
    intercom_admin_alias     text,
    slack_user_id            text,
    google_workspace_id      text,

    is_active                boolean NOT NULL DEFAULT true,
    is_archived              boolean NOT NULL DEFAULT false,
    access_level             text DEFAULT 'standard',

    last_login_at            timestamptz,
    last_activity_at         timestamptz,
    login_count              integer DEFAULT 0,
    failed_login_attempts    integer DEFAULT 0,
    account_locked_until     timestamptz,

    notification_preferences jsonb NOT NULL DEFAULT '{
        "email": true,
        "push": true,
        "in_app": true,
        "categories": {"system": true, "task": true, "message": true, "reminder": true}
    }'::jsonb,
    ui_preferences           jsonb DEFAULT '{}'::jsonb,
    device_info              jsonb DEFAULT '{}'::jsonb,

    created_by               uuid,
    updated_by               uuid,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    deleted_at               timestamptz,
    version                  integer NOT NULL DEFAULT 1,

    -- What the legacy row said and this table has no place for, and the rules that it breaks.
    legacy                   jsonb NOT NULL DEFAULT '{}'::jsonb,
    legacy_exempt            text[] NOT NULL DEFAULT '{}'::text[],

    CONSTRAINT exempt_names_are_given CHECK (array_position(legacy_exempt, NULL) IS NULL),
    -- Only small letters and no blanks, so an address that is not folded is refused as well. The document has
    -- [A-Z|a-z], which takes a@b.c| for an address, and has no apostrophe, which real names have.
    CONSTRAINT valid_email_format CHECK (
        email ~ '^[a-z0-9._%+''-]+@[a-z0-9.-]+[.][a-z]{2,}$' OR 'valid_email_format' = ANY (legacy_exempt)
    ),
    CONSTRAINT valid_access_level CHECK (
        access_level IN ('standard', 'elevated', 'admin') OR 'valid_access_level' = ANY (legacy_exempt)
    ),
    CONSTRAINT no_self_supervisor CHECK (supervisor_id <> id OR 'no_self_supervisor' = ANY (legacy_exempt)),
    CONSTRAINT no_self_mentor CHECK (quality_mentor_id <> id OR 'no_self_mentor' = ANY (legacy_exempt))
);
