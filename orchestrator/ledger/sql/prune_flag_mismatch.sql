-- Both answers of shadow reads that differed. The guard decides by its counters, which end by themselves.
SELECT m.id FROM changeover.flag_mismatch AS m WHERE m.at < %(before)s
