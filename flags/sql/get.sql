-- One flag, as clients and the command line see it.
SELECT flag, enabled, stage, rollout, version, plan, plan_stage, updated_at, updated_by, reason, rules, hold, soak_hours, second_person
  FROM changeover.feature_flags
 WHERE flag = %(flag)s
