-- The same for the unified table, for the audits that keep their id there.
SELECT e.v ->> 'key' AS key,
       CASE WHEN a.id IS NULL THEN CASE WHEN (e.v ->> 'deleted')::boolean THEN NULL ELSE ARRAY['(the row is missing)'] END
            WHEN (e.v ->> 'deleted')::boolean THEN ARRAY['(the row is there again)']
            ELSE nullif(array_remove(ARRAY[
                CASE WHEN e.v -> 'row' ? 'average_score'
                      AND (e.v -> 'row' ->> 'average_score')::numeric IS DISTINCT FROM a.total_score THEN 'total_score' END,
                CASE WHEN e.v -> 'row' ? 'total_errors_count'
                      AND (e.v -> 'row' ->> 'total_errors_count')::integer IS DISTINCT FROM a.total_errors_count
                     THEN 'total_errors_count' END,
                CASE WHEN e.v -> 'row' ? 'passing_status'
                      AND regexp_replace(lower(btrim(e.v -> 'row' ->> 'passing_status')), 'ed$', '') IS DISTINCT FROM a.passing_status
                     THEN 'passing_status' END,
                CASE WHEN e.v -> 'row' ? 'interaction_id'
                      AND e.v -> 'row' ->> 'interaction_id' IS DISTINCT FROM a.interaction_id THEN 'interaction_id' END,
                CASE WHEN e.v -> 'row' ? 'submitted_at'
                      AND (e.v -> 'row' ->> 'submitted_at')::timestamptz IS DISTINCT FROM a.submitted_at THEN 'submitted_at' END,
                CASE WHEN e.v -> 'row' ? 'employee_email'
                      AND lower(btrim(e.v -> 'row' ->> 'employee_email')) IS DISTINCT FROM p.email THEN 'employee_id' END
            ], NULL), '{}') END AS wrong
FROM jsonb_array_elements(%(expected)s::jsonb) AS e (v)
LEFT JOIN public.audits AS a ON a.id = (e.v ->> 'key')::uuid
LEFT JOIN public.employees AS p ON p.id = a.employee_id
