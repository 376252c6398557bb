-- `enabled` and `stage` have no default: the trigger derives the one that an INSERT leaves out from the other.
CREATE TABLE IF NOT EXISTS changeover.feature_flags (
    flag text PRIMARY KEY CHECK (length(flag) BETWEEN 1 AND 200),
    enabled boolean NOT NULL,
    stage text NOT NULL CHECK (stage IN ('off', 'dualwrite', 'shadow', 'live', 'rampdown', 'complete')),
    rollout integer NOT NULL DEFAULT 100 CHECK (rollout BETWEEN 0 AND 100),
    version bigint NOT NULL DEFAULT 1,
    plan text,
    plan_stage text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_by text NOT NULL DEFAULT session_user,
    reason text,
    CONSTRAINT enabled_says_who_is_read CHECK (enabled = (stage IN ('live', 'rampdown', 'complete'))),
    CONSTRAINT a_plan_has_a_stage CHECK ((plan IS NULL) = (plan_stage IS NULL))
);

CREATE TABLE IF NOT EXISTS changeover.flag_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    flag text NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('created', 'changed', 'deleted')),
    enabled boolean NOT NULL,
    stage text NOT NULL,
    rollout integer NOT NULL,
    was_stage text,
    was_rollout integer,
    actor text NOT NULL,
    reason text,
    UNIQUE (flag, version)
);

-- rules: whose percentage it is (flags/rules.py). hold: why nothing moves it forward but a person who clears this.
-- soak_hours: how long everybody must have read the new tables before `complete`, from the plan. second_person: more
-- readers come to the new tables only when somebody else agrees to what one has proposed.
ALTER TABLE changeover.feature_flags
    ADD COLUMN IF NOT EXISTS rules jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS hold text CHECK (hold <> ''),
    ADD COLUMN IF NOT EXISTS soak_hours double precision NOT NULL DEFAULT 0 CHECK (soak_hours >= 0),
    ADD COLUMN IF NOT EXISTS second_person boolean NOT NULL DEFAULT false;
ALTER TABLE changeover.flag_history
    ADD COLUMN IF NOT EXISTS rules jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS proposed_by text;

-- The move that somebody proposes, from this version on. Whoever else makes it, agrees; any other change ends it.
CREATE TABLE IF NOT EXISTS changeover.flag_proposal (
    flag text PRIMARY KEY,
    version bigint NOT NULL,
    stage text NOT NULL,
    rollout integer NOT NULL,
    rules jsonb NOT NULL,
    release boolean NOT NULL,
    proposed_by text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
