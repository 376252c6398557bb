-- The indexes of the audits stage (document, 2.3 and 5.1), made after the rows.
--
-- The two rules of foundation_indexes.sql hold: every foreign key has a full index that begins with its column, and no
-- index repeats another. Here the second one is bought dearly, every index costs each write of the application. A
-- partial index on a state of the work (submitted, pending, reversal asked for) leaves most rows out and stays.
-- Where the document has (a) and (a, b), both partial on deleted_at IS NULL, one full (a, b) does the work of both
-- and of the foreign key.
--
-- Left out:
--   idx_audits_employee_id: idx_audits_employee_submitted begins with it
--   idx_audits_auditor_id: idx_audits_auditor_status_date begins with it
--   idx_audits_scorecard_id: idx_audits_scorecard_date begins with it
--   idx_audits_channel_id: idx_audits_channel_date begins with it
--   idx_audits_reversal_pending: as written it holds every audit that nobody asked to reverse. Those that somebody did
--     are few, and stand in idx_audits_reversal_requested in the same order

-- The report of one employee, in its order, from the index alone: the rows lie next to each other here and all over the
-- table there, where each carries its transcript. Only columns of bounded size, an index entry holds 2.7 kB at most.
CREATE INDEX idx_audits_employee_submitted ON public.audits (employee_id, submitted_at DESC)
    INCLUDE (
        deleted_at, id, scorecard_id, channel_id, auditor_id, interaction_date, total_score, percentage_score,
        passing_status, status, validation_status, acknowledgement_status, critical_errors_count, total_errors_count,
        audit_duration
    );

-- The report of a month, from the index alone.
CREATE INDEX idx_audits_interaction_date ON public.audits (interaction_date DESC)
    INCLUDE (scorecard_id, percentage_score, passing_status, critical_errors_count, total_errors_count, audit_duration)
    WHERE deleted_at IS NULL;

CREATE INDEX idx_audits_auditor_status_date ON public.audits (auditor_id, status, submitted_at DESC);
CREATE INDEX idx_audits_scorecard_date ON public.audits (scorecard_id, submitted_at DESC);
CREATE INDEX idx_audits_channel_date ON public.audits (channel_id, interaction_date DESC);
CREATE INDEX idx_audits_assignment_id ON public.audits (assignment_id);
CREATE INDEX idx_audits_reversal_requested_by ON public.audits (reversal_requested_by);
CREATE INDEX idx_audits_reversal_responded_by ON public.audits (reversal_responded_by);
CREATE INDEX idx_audits_parent_audit_id ON public.audits (parent_audit_id);

CREATE INDEX idx_audits_employee_date ON public.audits (employee_id, interaction_date DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_employee_scorecard_date ON public.audits (employee_id, scorecard_id, interaction_date DESC)
    WHERE deleted_at IS NULL;

-- A hash, for the name of an interaction is compared for equality only, and is text of any length.
CREATE INDEX idx_audits_interaction_id ON public.audits USING hash (interaction_id) WHERE deleted_at IS NULL;

CREATE INDEX idx_audits_status ON public.audits (status) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_passing_status ON public.audits (passing_status) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_validation_status ON public.audits (validation_status) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_acknowledgement_status ON public.audits (acknowledgement_status) WHERE deleted_at IS NULL;

CREATE INDEX idx_audits_submitted_at ON public.audits (submitted_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_created_at ON public.audits (created_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_audit_start_time ON public.audits (audit_start_time DESC) WHERE deleted_at IS NULL;

CREATE INDEX idx_audits_quarter_week ON public.audits (quarter, week) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_period_dates ON public.audits (period_start_date, period_end_date) WHERE deleted_at IS NULL;

CREATE INDEX idx_audits_active_submitted ON public.audits (submitted_at DESC)
    WHERE status = 'submitted' AND deleted_at IS NULL;
CREATE INDEX idx_audits_pending_acknowledgement ON public.audits (acknowledgement_status, submitted_at DESC)
    WHERE acknowledgement_status = 'pending' AND deleted_at IS NULL;
CREATE INDEX idx_audits_reversal_requested ON public.audits (reversal_requested_at)
    WHERE reversal_requested_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX idx_audits_parameter_scores ON public.audits USING gin (parameter_scores) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_parameter_feedback ON public.audits USING gin (parameter_feedback) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_metadata ON public.audits USING gin (metadata) WHERE deleted_at IS NULL;
CREATE INDEX idx_audits_tags ON public.audits USING gin (tags) WHERE deleted_at IS NULL;

-- A tsvector holds 1 MB, and a transcript that needs more would fail the write of the application: the first 100,000
-- characters are searched, which fit whatever they are. A search repeats this expression.
CREATE INDEX idx_audits_transcript_search ON public.audits
    USING gin (to_tsvector('pg_catalog.english', left(coalesce(transcript, ''), 100000)));

-- audit_errors.audit_id is the first column of its primary key.
CREATE INDEX idx_audit_errors_scorecard_parameter_id ON public.audit_errors (scorecard_parameter_id);
