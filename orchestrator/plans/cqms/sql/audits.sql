-- The tables of the audits stage (document, 2.3): one table for what every scorecard kept in its own, and one row
-- for each error that an audit counted.
--
-- No index but the primary keys and no foreign key, because with all of them in place the copy took 5.7 times as long:
-- audits_indexes.sql and audits_keys.sql follow the rows. As in foundation.sql a legacy row that breaks a rule is let
-- through by the name of the rule in legacy_exempt, and a NULL among the names is not.

CREATE TABLE public.audits (
    id                       uuid PRIMARY KEY DEFAULT gen_random_uuid(),

    employee_id              uuid NOT NULL,
    auditor_id               uuid NOT NULL,
    scorecard_id             uuid NOT NULL,
    assignment_id            uuid,

    interaction_id           text,
    interaction_date         date NOT NULL,
    interaction_type         text,
    channel_id               uuid,

    client_email             text,
    client_name              text,
    client_id                text,

    transcript               text,
    transcript_summary       text,
    attachments              jsonb DEFAULT '[]'::jsonb,

    total_score              numeric(5, 2),
    max_possible_score       numeric(5, 2),
    -- The document has numeric(5,2), which 15 of 1 overflows. Nine digits hold the largest that two numeric(5,2) can
    -- give, 999.99 of 0.01, so that computing it never fails.
    percentage_score         numeric(9, 2) GENERATED ALWAYS AS (
        CASE WHEN max_possible_score > 0 THEN total_score / max_possible_score * 100 END
    ) STORED,
    passing_status           text,
    passing_threshold        numeric(5, 2),

    critical_errors_count    integer DEFAULT 0,
    significant_errors_count integer DEFAULT 0,
    minor_errors_count       integer DEFAULT 0,
    total_errors_count       integer DEFAULT 0,

    -- By the name of the legacy column: what it counted (JSON of its own type), its feedback, its comment.
    parameter_scores         jsonb NOT NULL DEFAULT '{}'::jsonb,
    parameter_feedback       jsonb DEFAULT '{}'::jsonb,
    parameter_comments       jsonb DEFAULT '{}'::jsonb,

    status                   text DEFAULT 'draft',
    validation_status        text,
    acknowledgement_status   text,

    audit_start_time         timestamptz,
    audit_end_time           timestamptz,
    audit_duration           integer, -- seconds
    submitted_at             timestamptz,
    validated_at             timestamptz,
    acknowledged_at          timestamptz,

    reversal_requested_at    timestamptz,
    reversal_requested_by    uuid,
    reversal_reason          text,
    reversal_responded_at    timestamptz,
    reversal_responded_by    uuid,
    reversal_approved        boolean,
    reversal_notes           text,

    recommendations          text,
    strengths                text[],
    improvement_areas        text[],
    coaching_notes           text,

    agent_pre_status         text,
    agent_post_status        text,

    quarter                  text,
    week                     integer,
    period_start_date        date,
    period_end_date          date,

    ai_assisted              boolean NOT NULL DEFAULT false,
    ai_confidence_score      numeric(3, 2),
    ai_review_required       boolean DEFAULT false,

    version                  integer NOT NULL DEFAULT 1,
    parent_audit_id          uuid,
    revision_reason          text,
    -- Under the key legacy: what the legacy row said and this table has no place for.
    metadata                 jsonb NOT NULL DEFAULT '{}'::jsonb,
    tags                     text[],

    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    deleted_at               timestamptz,

    legacy_exempt            text[] NOT NULL DEFAULT '{}'::text[],

    CONSTRAINT exempt_names_are_given CHECK (array_position(legacy_exempt, NULL) IS NULL),
    CONSTRAINT valid_interaction_type CHECK (
        interaction_type IN ('email', 'chat', 'call', 'ticket', 'other')
        OR 'valid_interaction_type' = ANY (legacy_exempt)
    ),
    CONSTRAINT valid_passing_status CHECK (
        passing_status IN ('pass', 'fail', 'pending', 'needs_review') OR 'valid_passing_status' = ANY (legacy_exempt)
    ),
    CONSTRAINT valid_status CHECK (
        status IN ('draft', 'in_progress', 'submitted', 'validated', 'rejected', 'archived')
        OR 'valid_status' = ANY (legacy_exempt)
    ),
    CONSTRAINT valid_validation_status CHECK (
        validation_status IN ('pending', 'approved', 'rejected', 'needs_revision')
        OR 'valid_validation_status' = ANY (legacy_exempt)
    ),
    CONSTRAINT valid_acknowledgement_status CHECK (
        acknowledgement_status IN ('pending', 'acknowledged', 'disputed', 'not_required')
        OR 'valid_acknowledgement_status' = ANY (legacy_exempt)
    ),
    CONSTRAINT valid_score CHECK (total_score >= 0 OR 'valid_score' = ANY (legacy_exempt)),
    CONSTRAINT valid_percentage CHECK (
        percentage_score BETWEEN 0 AND 100 OR 'valid_percentage' = ANY (legacy_exempt)
    ),
    CONSTRAINT valid_duration CHECK (audit_duration >= 0 OR 'valid_duration' = ANY (legacy_exempt)),
    CONSTRAINT valid_dates CHECK (audit_end_time >= audit_start_time OR 'valid_dates' = ANY (legacy_exempt)),
    CONSTRAINT no_self_audit CHECK (employee_id <> auditor_id OR 'no_self_audit' = ANY (legacy_exempt))
);

-- The document names this table and never defines it. A parameter that was removed from the scorecard still has its
-- errors, so scorecard_parameter_id may be NULL, and field_id, the legacy column, is what identifies a row.
CREATE TABLE public.audit_errors (
    audit_id               uuid NOT NULL,
    field_id               text NOT NULL,
    scorecard_parameter_id uuid,
    error_name             text,
    error_count            numeric NOT NULL,
    penalty_points         numeric,
    created_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (audit_id, field_id)
);
