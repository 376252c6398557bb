-- Row-level security of the audits stage; foundation_security.sql says by whom and why.
--
-- An agent reads the audits of their own work, an auditor reads and writes those of theirs, a manager reads those of the people
-- they are responsible for. An auditor sees the people that they have audited: a report without names is none. What an
-- agent answers to an audit (acknowledgement, reversal) goes through the service role, because a policy cannot limit columns.

-- Whom the one who asks has audited.
CREATE FUNCTION public.audited_employee_ids() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.employee_id FROM public.audits AS a, public.current_employee_id() AS me (id)
    WHERE a.auditor_id = me.id AND a.deleted_at IS NULL
$$;

REVOKE ALL ON FUNCTION public.audited_employee_ids() FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.audited_employee_ids() TO authenticated, service_role;

REVOKE ALL ON TABLE public.audits, public.audit_errors FROM anon, authenticated;
GRANT SELECT, INSERT, UPDATE ON TABLE public.audits TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.audit_errors TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.audits, public.audit_errors TO service_role;

ALTER TABLE public.audits ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_errors ENABLE ROW LEVEL SECURITY;

CREATE POLICY auditors_see_whom_they_audit ON public.employees FOR SELECT TO authenticated
    USING (id IN (SELECT public.audited_employee_ids()));

CREATE POLICY agents_see_their_audits ON public.audits FOR SELECT TO authenticated
    USING (employee_id = (SELECT public.current_employee_id()));
CREATE POLICY auditors_see_their_audits ON public.audits FOR SELECT TO authenticated
    USING (auditor_id = (SELECT public.current_employee_id()));
CREATE POLICY managers_see_their_peoples_audits ON public.audits FOR SELECT TO authenticated
    USING (employee_id IN (SELECT public.supervised_employee_ids()));
CREATE POLICY auditors_write_audits ON public.audits FOR INSERT TO authenticated
    WITH CHECK (auditor_id = (SELECT public.current_employee_id()));
CREATE POLICY auditors_change_their_audits ON public.audits FOR UPDATE TO authenticated
    USING (auditor_id = (SELECT public.current_employee_id()))
    WITH CHECK (auditor_id = (SELECT public.current_employee_id()));
CREATE POLICY service_role_does_all ON public.audits TO service_role USING (true) WITH CHECK (true);

-- The errors of an audit are for those who may see it (the policies of audits hold in the subquery), and for its auditor to write.
CREATE POLICY errors_of_audits_that_are_seen ON public.audit_errors FOR SELECT TO authenticated
    USING (EXISTS (SELECT FROM public.audits AS a WHERE a.id = audit_id));
CREATE POLICY auditors_write_errors ON public.audit_errors TO authenticated
    USING (EXISTS (SELECT FROM public.audits AS a WHERE a.id = audit_id AND a.auditor_id = (SELECT public.current_employee_id())))
    WITH CHECK (EXISTS (SELECT FROM public.audits AS a WHERE a.id = audit_id AND a.auditor_id = (SELECT public.current_employee_id())));
CREATE POLICY service_role_does_all ON public.audit_errors TO service_role USING (true) WITH CHECK (true);
