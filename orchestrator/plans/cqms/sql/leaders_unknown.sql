-- What people wrote of their leaders and no employee has as e-mail or as a name of their own: it stays as text.
SELECT w.written AS leader, w.of, count(*) AS people
FROM public.employees AS e
CROSS JOIN LATERAL (VALUES
    (e.legacy -> 'people' ->> 'team_supervisor', e.supervisor_id, 'supervisor'),
    (e.legacy -> 'people' ->> 'quality_mentor', e.quality_mentor_id, 'quality mentor'),
    (e.legacy -> 'people' ->> 'reporting_manager', e.reporting_manager_id, 'reporting manager')) AS w (written, id, of)
WHERE changeover.fold(w.written) IS NOT NULL AND w.id IS NULL
GROUP BY w.written, w.of
ORDER BY count(*) DESC, w.written, w.of
