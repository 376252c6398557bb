SELECT flag, enabled, stage, rollout FROM changeover.feature_flags
