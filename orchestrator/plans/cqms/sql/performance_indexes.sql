-- The keys of the materialized views, over plain columns that hold no NULL: what REFRESH … CONCURRENTLY compares by. The
-- figures of one person begin with their id; those of a period have an index of their own.

CREATE UNIQUE INDEX audit_statistics_key ON public.audit_statistics (
    employee_id, scorecard_id, channel_key, year, quarter, week
);
CREATE INDEX idx_audit_statistics_period ON public.audit_statistics (year, quarter, week);

CREATE UNIQUE INDEX auditor_performance_key ON public.auditor_performance (
    auditor_id, scorecard_id, channel_key, year, quarter, week
);
CREATE INDEX idx_auditor_performance_period ON public.auditor_performance (year, quarter, week);
