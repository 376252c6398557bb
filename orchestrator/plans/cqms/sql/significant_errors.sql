-- What an audit counts of its significant errors: the scores of the parameters of its scorecard whose type says so. A field that has
-- two such parameters counts once.
SELECT coalesce(sum(greatest(least(changeover.try_numeric(s.parameter_scores ->> p.field_id), 100000), 0)), 0)::integer
FROM (
    SELECT DISTINCT x.field_id FROM public.scorecard_perameters AS x
    WHERE x.scorecard_id = s.scorecard_id AND lower(to_jsonb(x.*) ->> 'parameter_type') LIKE '%significant%'
) AS p
