-- One parameter of a scorecard, with its penalty and weight by its place.
INSERT INTO public.scorecard_perameters (id, scorecard_id, error_name, penalty_points, parameter_type, field_type, field_id,
                                         is_fail_all, requires_feedback, display_order, is_active, created_at)
VALUES (%(id)s, %(scorecard)s, initcap(replace(%(field_id)s, '_', ' ')), mod(%(place)s, 10), 'error',
        %(field_type)s, %(field_id)s, mod(%(place)s, 11) = 0, mod(%(place)s, 4) = 0, %(place)s, %(active)s,
        timestamptz '2022-01-01 00:00:00+00')
