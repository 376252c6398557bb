-- What shadow reads have compared, by the version of the flag that was in force; late ones have failed.
SELECT version, sum(compared)::integer, sum(mismatches)::integer, sum(errors + late)::integer
  FROM changeover.flag_reading
 WHERE flag = %(flag)s
 GROUP BY version
 ORDER BY version
