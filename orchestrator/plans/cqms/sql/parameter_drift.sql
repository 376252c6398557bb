-- Parameters and columns that do not meet. It stops nothing: the catalog, not scorecard_perameters, says which columns
-- there are, and every one of them is migrated; but somebody should know. A table outside of the plan's `schemas` is not
-- migrated, and not spoken of: name the same schemas here as there.
WITH tables AS (
    SELECT c.id, s.oid, n.nspname || '.' || s.relname AS label
    FROM public.scorecards AS c
    JOIN pg_catalog.pg_class AS s ON s.relkind = 'r'
    JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace AND n.nspname IN ('public', 'qa')
    WHERE c.table_name IN (n.nspname || '.' || s.relname, CASE n.nspname WHEN 'public' THEN s.relname END)
),
present AS (
    SELECT DISTINCT t.label, a.attname::text AS name
    FROM tables AS t
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
),
listed AS (
    SELECT DISTINCT t.label, p.field_id AS name
    FROM tables AS t JOIN public.scorecard_perameters AS p ON p.scorecard_id = t.id
    WHERE p.field_id IS NOT NULL
)
SELECT 'parameter_without_column' AS code, x.label || '.' || x.name AS subject, 'a parameter without a column' AS detail
FROM (SELECT * FROM listed EXCEPT SELECT * FROM present) AS x
UNION ALL
SELECT 'column_without_parameter', x.label || '.' || x.name, 'a column without a parameter; it is migrated like the others'
FROM (
    SELECT * FROM present AS p
    WHERE p.name !~* '(feedback|comment)' AND p.name <> ALL (ARRAY[
        'id', 'employee_email', 'employee_name', 'auditor_email', 'auditor_name', 'interaction_id', 'interaction_date',
        'channel', 'transcript', 'average_score', 'critical_errors', 'total_errors_count', 'passing_status',
        'validation_status', 'acknowledgement_status', 'audit_duration', 'submitted_at', 'audit_start_time',
        'audit_end_time', 'reversal_requested_at', 'reversal_approved', 'interaction_type', 'client_email', 'client_name',
        'client_id', 'transcript_summary', 'passing_threshold', 'validated_at', 'acknowledged_at', 'reversal_reason',
        'reversal_responded_at', 'reversal_notes', 'recommendations', 'agent_pre_status', 'agent_post_status',
        'ai_assisted', 'ai_confidence_score', 'ai_review_required', 'quarter', 'week', 'created_at', 'updated_at'])
    EXCEPT SELECT * FROM listed
) AS x
ORDER BY 1, 2
