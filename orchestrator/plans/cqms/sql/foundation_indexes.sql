-- The indexes of the foundation stage (document, 2.1 and 2.2), made after the rows.
--
-- Two rules decide. Every foreign key has a full index that begins with its column, or deleting one employee reads
-- every table that points at employees. And no index repeats another: deleted_at IS NULL and is_active leave nearly
-- every row in, so a partial index that differs from a full one in these alone is the same index twice. Where the
-- document has such a partial index on a foreign key, the full one takes its name.
--
-- Left out:
--   idx_employees_email, idx_employees_auth_user_id, idx_employees_employee_id: the unique keys on the same columns
--   idx_roles_code, idx_departments_code, idx_channels_code: the unique keys on the same columns
--   an index on departments.name, roles.name, channels.name, teams.name: the unique keys on the folded name

CREATE INDEX idx_employees_role_id ON public.employees (role_id);
CREATE INDEX idx_employees_department_id ON public.employees (department_id);
CREATE INDEX idx_employees_channel_id ON public.employees (channel_id);
CREATE INDEX idx_employees_team_id ON public.employees (team_id);
CREATE INDEX idx_employees_supervisor_id ON public.employees (supervisor_id);
CREATE INDEX idx_employees_quality_mentor_id ON public.employees (quality_mentor_id);
CREATE INDEX idx_employees_reporting_manager_id ON public.employees (reporting_manager_id);
CREATE INDEX idx_employees_country_code ON public.employees (country_code);
CREATE INDEX idx_employees_created_by ON public.employees (created_by);
CREATE INDEX idx_employees_updated_by ON public.employees (updated_by);

-- A name as somebody wrote it, for who leads whom.
CREATE INDEX idx_employees_folded_name ON public.employees (lower(btrim(left(name, 320))));

CREATE INDEX idx_employees_is_active ON public.employees (is_active) WHERE deleted_at IS NULL;
CREATE INDEX idx_employees_created_at ON public.employees (created_at DESC) WHERE deleted_at IS NULL;

-- A text too long for a tsvector (1 MB) would fail the write, so the name is cut. A search repeats this expression.
CREATE INDEX idx_employees_name_search ON public.employees
    USING gin (to_tsvector('pg_catalog.english', left(name, 1000) || ' ' || email));

CREATE INDEX idx_roles_level ON public.roles (level) WHERE is_active;

CREATE INDEX idx_departments_parent ON public.departments (parent_department_id);
CREATE INDEX idx_departments_manager_id ON public.departments (manager_id);

CREATE INDEX idx_teams_channel_id ON public.teams (channel_id);
CREATE INDEX idx_teams_supervisor_id ON public.teams (supervisor_id);
CREATE INDEX idx_teams_department_id ON public.teams (department_id);

CREATE INDEX idx_channels_display_order ON public.channels (display_order) WHERE is_active;
CREATE INDEX idx_channels_default_scorecard_id ON public.channels (default_scorecard_id);
