-- What is assigned to an auditor (document, 2.4): the people whom they shall audit, and the audits that came of it, whoever made
-- them. foundation_security.sql says by whom and why. PL/pgSQL reads the names of columns when it is called: `plan check` tries the
-- statements before the stage relationships has added these.

CREATE FUNCTION public.assigned_employee_ids() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT s.employee_id FROM public.audit_assignments AS s WHERE s.auditor_id = public.current_employee_id();
END
$$;

CREATE FUNCTION public.assigned_audit_ids() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The column has the document's name from retire on.
    IF EXISTS (SELECT FROM pg_attribute AS a
               WHERE a.attrelid = 'public.audit_assignments'::regclass AND a.attname = 'audit_id_new' AND NOT a.attisdropped) THEN
        RETURN QUERY
        SELECT s.audit_id_new FROM public.audit_assignments AS s
        WHERE s.auditor_id = public.current_employee_id() AND s.audit_id_new IS NOT NULL;
    ELSE
        RETURN QUERY
        SELECT s.audit_id FROM public.audit_assignments AS s
        WHERE s.auditor_id = public.current_employee_id() AND s.audit_id IS NOT NULL;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION public.assigned_employee_ids() FROM PUBLIC, anon;
REVOKE ALL ON FUNCTION public.assigned_audit_ids() FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.assigned_employee_ids() TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.assigned_audit_ids() TO authenticated, service_role;

CREATE POLICY auditors_see_whom_they_shall_audit ON public.employees FOR SELECT TO authenticated
    USING (id IN (SELECT public.assigned_employee_ids()));
CREATE POLICY auditors_see_what_is_assigned ON public.audits FOR SELECT TO authenticated
    USING (id IN (SELECT public.assigned_audit_ids()));
