-- All that a client needs to know, in one look.
SELECT flag, version, stage, rollout FROM changeover.feature_flags
