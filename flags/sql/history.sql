-- The newest first, because the limit is to keep those.
SELECT id, at, flag, version, kind, enabled, stage, rollout, was_stage, was_rollout, actor, reason, rules, proposed_by
  FROM changeover.flag_history
 WHERE %(flag)s::text IS NULL OR flag = %(flag)s
 ORDER BY id DESC
 LIMIT %(limit)s
