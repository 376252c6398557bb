-- What the document says of audit_assignments (1.1), and the dirt of years, beside the database of cqms_by_hand.sql: no
-- quarter and no week, another type for the audit, a note that the document does not know, an index of the document's name.
CREATE TABLE public.audit_assignments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), employee_email text NOT NULL DEFAULT '', employee_name varchar(80),
    auditor_email text, scorecard_id uuid REFERENCES public.scorecards (id), status varchar(20) DEFAULT 'pending',
    scheduled_date date, audit_id varchar(60), conversation_id text, source_type text, assigned_by text,
    updated_at timestamptz, remark text, created_at timestamptz DEFAULT now()
);
CREATE INDEX idx_audit_assignments_status ON public.audit_assignments (status, created_at);

INSERT INTO public.audit_assignments (
    id, employee_email, employee_name, auditor_email, scorecard_id, status, scheduled_date, audit_id, source_type, assigned_by, remark
)
SELECT ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid,
       CASE i % 6 WHEN 0 THEN 'P' || i % 30 || '@X.COM ' WHEN 1 THEN '' WHEN 2 THEN 'gone' || i || '@left.example' WHEN 3 THEN 'n/a'
            ELSE 'p' || i % 30 || '@x.com' END,
       'Name ' || i,
       CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 'boss@x.com' WHEN 2 THEN 'p' || i % 30 || '@x.com' ELSE 'Boss@X.com' END,
       s.id,
       (ARRAY['pending', 'Pending', 'done', NULL, 'completed'])[1 + i % 5],
       CASE WHEN i % 7 > 0 THEN date '2024-01-01' + i END,
       CASE WHEN s.name = 'Typed' THEN 'T-' || i WHEN s.name = 'Weird' THEN i::text WHEN i % 2 = 0 THEN 'lost ' || i END,
       (ARRAY['manual', 'Manual', NULL])[1 + i % 3],
       (ARRAY['system', 'p2@x.com', '', NULL, 'who@left.example'])[1 + i % 5],
       'remark ' || i
FROM generate_series(1, 120) AS i
JOIN public.scorecards AS s ON s.name = (ARRAY['Typed', 'Weird', 'Empty'])[1 + i % 3];

-- Who leads whom, as people write it: an e-mail, a name, a name that two have, nobody; and where they work.
ALTER TABLE public.people ADD COLUMN team_supervisor text, ADD COLUMN quality_mentor text, ADD COLUMN team text,
    ADD COLUMN channel text, ADD COLUMN department text;
ALTER TABLE public.scorecards ADD COLUMN channels jsonb, ADD COLUMN is_active boolean DEFAULT true;
UPDATE public.scorecards SET channels = CASE name WHEN 'Typed' THEN '["Chat"]'::jsonb WHEN 'Weird' THEN '["Phone", "E-mail"]' ELSE '["phone"]' END;
INSERT INTO public.people (email, name, team_supervisor, quality_mentor, team, channel, department) VALUES
    ('lea@x.com', 'Lea Lead', NULL, 'lea@x.com', 'North', 'Chat', 'Sales'),
    ('tom@x.com', 'Tom', ' LEA@x.com', 'Lea  Lead', 'South', 'Chat', 'Care'),
    ('uma@x.com', 'Uma', 'lea lead ', 'Two Names', 'South', 'Chat', 'Sales'),
    ('two1@x.com', 'Two Names', 'nobody at all', NULL, NULL, 'Phone', NULL),
    ('two2@x.com', 'Two Names', 'uma', NULL, 'North', 'Chat', 'Sales');

-- Columns that are named like those of the new table, in types of somebody's own and with the dirt of years; parameters of three types.
ALTER TABLE public.typed ADD COLUMN client_email varchar(60), ADD COLUMN client_id integer, ADD COLUMN interaction_type text,
    ADD COLUMN transcript_summary text, ADD COLUMN validated_at text, ADD COLUMN acknowledged_at timestamp, ADD COLUMN passing_threshold text,
    ADD COLUMN reversal_reason text, ADD COLUMN recommendations jsonb, ADD COLUMN agent_pre_status text, ADD COLUMN ai_assisted text,
    ADD COLUMN ai_confidence_score text, ADD COLUMN ai_review_required boolean, ADD COLUMN slips integer;
UPDATE public.typed AS t SET
    client_email = 'client' || n.i || '@else.example', client_id = n.i, interaction_type = (ARRAY['E-Mail', 'CHAT', 'fax', NULL])[1 + n.i % 4],
    transcript_summary = 'sum ' || n.i, validated_at = (ARRAY['2024-02-01 10:00', 'n/a', NULL])[1 + n.i % 3], acknowledged_at = '2024-02-02 09:00',
    passing_threshold = (ARRAY['75', 'high', NULL, '1e9'])[1 + n.i % 4], reversal_reason = 'why ' || n.i,
    recommendations = '["more"]', agent_pre_status = ' Ready', ai_assisted = (ARRAY['yes', 'No', 'perhaps', NULL])[1 + n.i % 4],
    ai_confidence_score = (ARRAY['0.91', '91%', '12.5', NULL])[1 + n.i % 4], ai_review_required = n.i % 2 = 0, slips = n.i % 4
FROM (SELECT id, substr(id, 3)::integer AS i FROM public.typed) AS n WHERE n.id = t.id;
ALTER TABLE public.scorecards ADD COLUMN passing_threshold numeric(5, 2) DEFAULT 80;
ALTER TABLE public.scorecard_perameters ADD COLUMN parameter_type text;
UPDATE public.scorecard_perameters SET parameter_type = 'Significant error';
INSERT INTO public.scorecard_perameters (scorecard_id, field_id, error_name, parameter_type)
SELECT id, 'slips', 'Slips', 'minor' FROM public.scorecards WHERE name = 'Typed';
