-- A flag that somebody made by hand before the plan came. It may not have gone further than the plan has.
UPDATE changeover.feature_flags
   SET plan = %(plan)s, plan_stage = %(plan_stage)s, soak_hours = %(soak_hours)s
 WHERE flag = %(flag)s
RETURNING flag, enabled, stage, rollout, version, plan, plan_stage, updated_at, updated_by, reason, rules, hold, soak_hours, second_person
