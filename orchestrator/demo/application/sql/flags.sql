-- What the new version asks before it reads.
SELECT flag, enabled, stage, rollout FROM changeover.feature_flags
