-- The foreign keys of audit_assignments (document, 2.4), and the one that refers to it, added after the rows and validated.
--
-- Employees are never deleted, only marked; an audit or an assignment may be deleted by the old application, and takes
-- nothing along.

ALTER TABLE public.audit_assignments ADD CONSTRAINT audit_assignments_employee_id_fkey
    FOREIGN KEY (employee_id) REFERENCES public.employees (id);

ALTER TABLE public.audit_assignments ADD CONSTRAINT audit_assignments_auditor_id_fkey
    FOREIGN KEY (auditor_id) REFERENCES public.employees (id);

ALTER TABLE public.audit_assignments ADD CONSTRAINT audit_assignments_assigner_id_fkey
    FOREIGN KEY (assigner_id) REFERENCES public.employees (id);

ALTER TABLE public.audit_assignments ADD CONSTRAINT audit_assignments_cancelled_by_fkey
    FOREIGN KEY (cancelled_by) REFERENCES public.employees (id);

ALTER TABLE public.audit_assignments ADD CONSTRAINT audit_assignments_audit_id_fkey
    FOREIGN KEY (audit_id_new) REFERENCES public.audits (id) ON DELETE SET NULL;

ALTER TABLE public.audits ADD CONSTRAINT audits_assignment_id_fkey
    FOREIGN KEY (assignment_id) REFERENCES public.audit_assignments (id) ON DELETE SET NULL;
