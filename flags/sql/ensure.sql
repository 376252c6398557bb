-- A flag begins off, for everybody; one that is there is left as it is.
INSERT INTO changeover.feature_flags (flag, stage, rollout, plan, plan_stage, soak_hours)
VALUES (%(flag)s, 'off', 100, %(plan)s, %(plan_stage)s, %(soak_hours)s)
ON CONFLICT (flag) DO NOTHING
