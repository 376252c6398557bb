-- When the guard takes this flag back.
INSERT INTO changeover.flag_limit (flag, enabled, window_s, least, mismatches, errors, slower, floor_ms)
VALUES (%(flag)s, %(enabled)s, %(window_s)s, %(least)s, %(mismatches)s, %(errors)s, %(slower)s, %(floor_ms)s)
ON CONFLICT (flag) DO UPDATE
   SET enabled = excluded.enabled, window_s = excluded.window_s, least = excluded.least,
       mismatches = excluded.mismatches, errors = excluded.errors, slower = excluded.slower, floor_ms = excluded.floor_ms
