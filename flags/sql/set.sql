-- `enabled`, version, who, when and why are the trigger's.
UPDATE changeover.feature_flags
   SET stage = %(stage)s, rollout = %(rollout)s, rules = %(rules)s, hold = %(hold)s, second_person = %(second_person)s
 WHERE flag = %(flag)s
RETURNING flag, enabled, stage, rollout, version, plan, plan_stage, updated_at, updated_by, reason, rules, hold, soak_hours, second_person
