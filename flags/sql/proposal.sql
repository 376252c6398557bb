-- What somebody proposes for a flag.
SELECT flag, version, stage, rollout, rules, release, proposed_by, reason, at
  FROM changeover.flag_proposal
 WHERE flag = %(flag)s
