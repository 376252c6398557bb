-- Registers the new parameter and gives some rows a value of their own; returns how many.
WITH listed AS (
    INSERT INTO public.scorecard_perameters (scorecard_id, error_name, penalty_points, parameter_type, field_type, field_id, display_order)
    SELECT id, 'Proactivity', 5, 'error', 'counter', 'proactivity', 90 FROM public.scorecards WHERE table_name = 'chat_audit'
),
written AS (
    UPDATE public.chat_audit SET proactivity = 1
    WHERE id IN (SELECT id FROM public.chat_audit ORDER BY id LIMIT 20)
    RETURNING 1
)
SELECT count(*) FROM written
