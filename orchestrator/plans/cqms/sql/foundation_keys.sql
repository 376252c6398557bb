-- The foreign keys of the foundation stage, added after the rows (NOT VALID, then validated) because they form circles:
-- employees - departments - employees, employees - teams - employees, channels - scorecards.
--
-- The names are the ones that PostgreSQL itself gives, which is what the document asks PostgREST for
-- (employees!audits_employee_id_fkey). None is DEFERRABLE: a deferred key fails at the COMMIT of the application, where
-- no mirror can catch it. An employee whom something points at is not deleted, only marked (deleted_at).

ALTER TABLE public.employees ADD CONSTRAINT employees_role_id_fkey
    FOREIGN KEY (role_id) REFERENCES public.roles (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_department_id_fkey
    FOREIGN KEY (department_id) REFERENCES public.departments (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_channel_id_fkey
    FOREIGN KEY (channel_id) REFERENCES public.channels (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_team_id_fkey
    FOREIGN KEY (team_id) REFERENCES public.teams (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_supervisor_id_fkey
    FOREIGN KEY (supervisor_id) REFERENCES public.employees (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_quality_mentor_id_fkey
    FOREIGN KEY (quality_mentor_id) REFERENCES public.employees (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_reporting_manager_id_fkey
    FOREIGN KEY (reporting_manager_id) REFERENCES public.employees (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_country_code_fkey
    FOREIGN KEY (country_code) REFERENCES public.countries (code);

ALTER TABLE public.employees ADD CONSTRAINT employees_created_by_fkey
    FOREIGN KEY (created_by) REFERENCES public.employees (id);

ALTER TABLE public.employees ADD CONSTRAINT employees_updated_by_fkey
    FOREIGN KEY (updated_by) REFERENCES public.employees (id);

ALTER TABLE public.departments ADD CONSTRAINT departments_parent_department_id_fkey
    FOREIGN KEY (parent_department_id) REFERENCES public.departments (id);

ALTER TABLE public.departments ADD CONSTRAINT departments_manager_id_fkey
    FOREIGN KEY (manager_id) REFERENCES public.employees (id);

ALTER TABLE public.teams ADD CONSTRAINT teams_channel_id_fkey
    FOREIGN KEY (channel_id) REFERENCES public.channels (id);

ALTER TABLE public.teams ADD CONSTRAINT teams_supervisor_id_fkey
    FOREIGN KEY (supervisor_id) REFERENCES public.employees (id);

ALTER TABLE public.teams ADD CONSTRAINT teams_department_id_fkey
    FOREIGN KEY (department_id) REFERENCES public.departments (id);

-- The old application may delete a scorecard. That it is the default of a channel must not stop it.
ALTER TABLE public.channels ADD CONSTRAINT channels_default_scorecard_id_fkey
    FOREIGN KEY (default_scorecard_id) REFERENCES public.scorecards (id) ON DELETE SET NULL;
