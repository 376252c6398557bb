-- What somebody proposes for a flag as it stands now.
SELECT p.flag, p.version, p.stage, p.rollout, p.rules, p.release, p.proposed_by, p.reason, p.at
  FROM changeover.flag_proposal AS p
  JOIN changeover.feature_flags AS f ON (f.flag, f.version) = (p.flag, p.version)
 WHERE p.flag = %(flag)s
