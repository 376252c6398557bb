-- The audit tables in one form: what a rule looks at, as text where tables differ in type.
CREATE TEMPORARY TABLE IF NOT EXISTS finished (
    source text, place integer, id text, id_is_uuid boolean, employee_email text, auditor_email text,
    interaction_date text, submitted_at timestamptz, audit_start_time timestamptz, audit_end_time timestamptz,
    created_at timestamptz, average_score text, audit_duration text, passing_status text, validation_status text,
    acknowledgement_status text, channel text
);
TRUNCATE finished
