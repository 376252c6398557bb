DELETE FROM changeover.feature_flags WHERE flag = %(flag)s
