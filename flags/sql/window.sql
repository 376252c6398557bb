-- What the guard decides by, with the limits of this flag.
SELECT stage, version, compared, mismatches, errors, late, old_ms, new_ms, limits
  FROM changeover.flag_window(%(flag)s, %(window_s)s)
