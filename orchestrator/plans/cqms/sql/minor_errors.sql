-- What an audit counts of its minor errors: the scores of the parameters of its scorecard whose type says so.
SELECT coalesce(sum(w.counted), 0)::integer
FROM (
    SELECT greatest(least(changeover.try_numeric(v.value), 100000), 0) AS counted
    FROM jsonb_each_text(CASE jsonb_typeof(s.parameter_scores) WHEN 'object' THEN s.parameter_scores ELSE '{}'::jsonb END) AS v (key, value)
    WHERE EXISTS (
        SELECT FROM public.scorecard_perameters AS p
        WHERE p.scorecard_id::text = s.scorecard_id::text AND p.field_id = v.key
          AND lower(to_jsonb(p.*) ->> 'parameter_type') LIKE '%minor%')
) AS w
