-- Every flag.
SELECT flag, enabled, stage, rollout, version, plan, plan_stage, updated_at, updated_by, reason, rules, hold, soak_hours, second_person
  FROM changeover.feature_flags
 ORDER BY flag
