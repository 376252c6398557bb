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
