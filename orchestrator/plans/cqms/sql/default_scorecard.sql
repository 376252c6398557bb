-- The scorecard of a channel: the one active scorecard that names it, over s of channels. Out of the row as JSON, because a
-- table may lack these columns.
SELECT CASE WHEN count(*) = 1 THEN min(x.id::text)::uuid END
FROM public.scorecards AS x
WHERE coalesce(changeover.try_boolean(to_jsonb(x.*) ->> 'is_active'), true)
  AND EXISTS (
      SELECT FROM jsonb_array_elements_text(
          CASE jsonb_typeof(to_jsonb(x.*) -> 'channels') WHEN 'array' THEN to_jsonb(x.*) -> 'channels' ELSE '[]' END) AS n (name)
      WHERE changeover.fold(n.name) IN (changeover.fold(s.name), changeover.fold(s.code)))
