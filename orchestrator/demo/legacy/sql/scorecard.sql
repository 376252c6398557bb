-- One version of a scorecard, dated by its version and not by the clock.
INSERT INTO public.scorecards (id, name, description, table_name, passing_threshold, channels, is_active, version,
                               parent_scorecard_id, allow_over_100, max_bonus_points, created_at, updated_at)
VALUES (%(id)s, %(name)s, %(description)s, %(table_name)s, 80, %(channels)s::jsonb, %(active)s, %(version)s, %(parent)s,
        %(version)s > 1, 5, timestamptz '2022-01-01 00:00:00+00' + %(version)s * interval '100 days',
        timestamptz '2024-01-01 00:00:00+00')
