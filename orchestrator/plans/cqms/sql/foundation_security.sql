-- Row-level security of the foundation stage, as Supabase does it: for its roles anon, authenticated and service_role, and by
-- auth.uid(), the account that asks (plan.yaml, `only_where`). The document says that it is missing and does not define it.
--
-- Nobody gains a right by what their role is called: an agent is who was audited, an auditor who has audited or is assigned, a
-- manager who stands in a team, a department or another person's row as that. An account sees nothing until an employee has
-- it (auth_user_id). The tables' owner, and so the mirrors, are above it.
--
-- Supabase gives its roles every right on each new table, so all are taken away first: TRUNCATE asks no policy.

CREATE FUNCTION public.current_employee_id() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.id FROM public.employees AS e WHERE e.auth_user_id = auth.uid() AND e.is_active AND e.deleted_at IS NULL
$$;

-- Whom the one who asks is responsible for: by their own rows, by their teams, by their departments.
CREATE FUNCTION public.supervised_employee_ids() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.id
    FROM public.employees AS e, public.current_employee_id() AS me (id)
    WHERE me.id IN (e.supervisor_id, e.reporting_manager_id)
       OR e.team_id IN (SELECT t.id FROM public.teams AS t WHERE t.supervisor_id = me.id)
       OR e.department_id IN (SELECT d.id FROM public.departments AS d WHERE d.manager_id = me.id)
$$;

REVOKE ALL ON FUNCTION public.current_employee_id() FROM PUBLIC, anon;
REVOKE ALL ON FUNCTION public.supervised_employee_ids() FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.current_employee_id() TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.supervised_employee_ids() TO authenticated, service_role;

REVOKE ALL ON TABLE public.employees, public.roles, public.departments, public.teams, public.channels, public.countries FROM anon, authenticated;
GRANT SELECT ON TABLE public.employees, public.roles, public.departments, public.teams, public.channels, public.countries TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.employees, public.roles, public.departments, public.teams, public.channels, public.countries TO service_role;

ALTER TABLE public.employees ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.departments ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.channels ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.countries ENABLE ROW LEVEL SECURITY;

CREATE POLICY employees_see_themselves ON public.employees FOR SELECT TO authenticated
    USING (id = (SELECT public.current_employee_id()));
CREATE POLICY managers_see_their_people ON public.employees FOR SELECT TO authenticated
    USING (id IN (SELECT public.supervised_employee_ids()));
CREATE POLICY service_role_does_all ON public.employees TO service_role USING (true) WITH CHECK (true);

CREATE POLICY everybody_reads ON public.roles FOR SELECT TO authenticated USING (true);
CREATE POLICY service_role_does_all ON public.roles TO service_role USING (true) WITH CHECK (true);
CREATE POLICY everybody_reads ON public.departments FOR SELECT TO authenticated USING (true);
CREATE POLICY service_role_does_all ON public.departments TO service_role USING (true) WITH CHECK (true);
CREATE POLICY everybody_reads ON public.teams FOR SELECT TO authenticated USING (true);
CREATE POLICY service_role_does_all ON public.teams TO service_role USING (true) WITH CHECK (true);
CREATE POLICY everybody_reads ON public.channels FOR SELECT TO authenticated USING (true);
CREATE POLICY service_role_does_all ON public.channels TO service_role USING (true) WITH CHECK (true);
CREATE POLICY everybody_reads ON public.countries FOR SELECT TO authenticated USING (true);
CREATE POLICY service_role_does_all ON public.countries TO service_role USING (true) WITH CHECK (true);
