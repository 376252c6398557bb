-- All that a client needs to know, in one look. A function, so that its role needs the schema and nothing in it.
SELECT flag, version, stage, rollout, rules, deleted FROM changeover.flag_snapshot()
