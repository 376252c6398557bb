-- Clients that miss the flag fall back to the old side.
DELETE FROM changeover.feature_flags WHERE flag = %(flag)s
