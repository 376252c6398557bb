-- A new scorecard with its table, made the way the application makes one: the table first, then its name.
CREATE TABLE public.video_call_audit (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    employee_email text, employee_name text, auditor_email text, auditor_name text,
    interaction_id text, interaction_date date, channel text, transcript text,
    average_score numeric, critical_errors integer DEFAULT 0, total_errors_count integer DEFAULT 0,
    passing_status text, validation_status text, acknowledgement_status text,
    audit_duration text, submitted_at timestamptz, audit_start_time timestamptz, audit_end_time timestamptz,
    reversal_requested_at timestamptz, reversal_approved boolean,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(),
    camera_on integer, framing text, framing_feedback text
);
CREATE INDEX ON public.video_call_audit (employee_email);
INSERT INTO public.scorecards (id, name, table_name, version, is_active)
VALUES (md5('Video calls, at last')::uuid, 'Video calls, at last', 'video_call_audit', 1, true);
INSERT INTO public.scorecard_perameters (scorecard_id, error_name, penalty_points, parameter_type, field_type, field_id, display_order)
VALUES (md5('Video calls, at last')::uuid, 'Camera on', 10, 'error', 'counter', 'camera_on', 1),
       (md5('Video calls, at last')::uuid, 'Framing', 2, 'error', 'text', 'framing', 2)
