-- New scores for one audit or several; parameters that are not named stay.
UPDATE public.audits AS a
SET total_score = (v ->> 'average_score')::numeric, passing_status = v ->> 'passing_status',
    total_errors_count = (v ->> 'total_errors_count')::integer,
    parameter_scores = a.parameter_scores || coalesce(v -> 'parameters', '{}'), updated_at = now()
FROM jsonb_array_elements($1::jsonb) AS v
WHERE a.id = (v ->> 'id')::uuid
