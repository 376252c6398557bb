-- The assignments as the document describes them today (1.1), where a database has none: everything that follows then
-- holds there too. A table that is there stays as it is, and the stage changes it in place (document, 2.4 and 3.2).
CREATE TABLE IF NOT EXISTS public.audit_assignments (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    employee_email  text,
    employee_name   text,
    auditor_email   text,
    scorecard_id    uuid,
    status          text DEFAULT 'pending',
    scheduled_date  date,
    week            integer,
    completed_at    timestamptz,
    audit_id        text,
    conversation_id text,
    intercom_alias  text,
    source_type     text,
    assigned_by     text,
    created_at      timestamptz DEFAULT now()
);
