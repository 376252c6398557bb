-- A new audit, its people found by their addresses.
INSERT INTO public.audits (employee_id, auditor_id, scorecard_id, interaction_id, interaction_date, total_score, max_possible_score,
                           passing_status, total_errors_count, parameter_scores, status, submitted_at)
SELECT e.id, a.id, ($1::jsonb ->> 'scorecard_id')::uuid, $1::jsonb ->> 'interaction_id', ($1::jsonb ->> 'interaction_date')::date,
       ($1::jsonb ->> 'average_score')::numeric, 100, $1::jsonb ->> 'passing_status', ($1::jsonb ->> 'total_errors_count')::integer,
       $1::jsonb -> 'parameters', 'submitted', ($1::jsonb ->> 'submitted_at')::timestamptz
FROM public.employees AS e, public.employees AS a
WHERE e.email = lower($1::jsonb ->> 'employee_email') AND a.email = lower($1::jsonb ->> 'auditor_email')
RETURNING id::text
