-- One proposal a flag, the last one.
INSERT INTO changeover.flag_proposal (flag, version, stage, rollout, rules, release, proposed_by, reason)
VALUES (%(flag)s, %(version)s, %(stage)s, %(rollout)s, %(rules)s, %(release)s, %(proposed_by)s, %(reason)s)
ON CONFLICT (flag) DO UPDATE
   SET version = excluded.version, stage = excluded.stage, rollout = excluded.rollout, rules = excluded.rules,
       release = excluded.release, proposed_by = excluded.proposed_by, reason = excluded.reason, at = excluded.at
RETURNING flag, version, stage, rollout, rules, release, proposed_by, reason, at
