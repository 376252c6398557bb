-- The indexes of audit_assignments (document, 2.4), made after the rows. An index of one of these names that the
-- database has already stays.
--
-- The rules are those of foundation_indexes.sql: every foreign key has a full index that begins with its column, so the
-- document's partial ones (status is not cancelled) are full here, and none repeats another.
--
-- Left out:
--   idx_audit_assignments_auditor_id: idx_audit_assignments_auditor_status_date begins with it

CREATE INDEX IF NOT EXISTS idx_audit_assignments_employee_id ON public.audit_assignments (employee_id);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_assigner_id ON public.audit_assignments (assigner_id);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_scorecard_id ON public.audit_assignments (scorecard_id);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_audit_id ON public.audit_assignments (audit_id_new);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_cancelled_by ON public.audit_assignments (cancelled_by);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_status ON public.audit_assignments (status);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_scheduled_date ON public.audit_assignments (scheduled_date DESC);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_due_date ON public.audit_assignments (due_date)
    WHERE status IN ('pending', 'in_progress');
CREATE INDEX IF NOT EXISTS idx_audit_assignments_auditor_status_date
    ON public.audit_assignments (auditor_id, status, scheduled_date DESC);
CREATE INDEX IF NOT EXISTS idx_audit_assignments_week_quarter ON public.audit_assignments (week, quarter)
    WHERE status <> 'cancelled';
