-- How many seconds ago one of these flags was last moved away from a stage in which the new tables are read.
SELECT extract(epoch FROM clock_timestamp() - max(h.at))::float8
  FROM changeover.flag_history AS h
 WHERE h.flag = ANY (%(flags)s) AND h.was_stage IN ('shadow', 'live', 'rampdown', 'complete')
