-- The rules of feature_flags, in the database, so that `UPDATE feature_flags SET enabled = false WHERE flag = ...`
-- from any client is honoured, guarded, recorded and announced like a change through our own store.
--
-- SECURITY DEFINER: whoever may update a flag need not have rights on the history. Who it was is what the
-- store announced for this transaction (changeover.actor), else the role that was set, else the login.

CREATE OR REPLACE FUNCTION changeover.flag_before() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ladder CONSTANT text[] := '{off,dualwrite,shadow,live,rampdown,complete}';
    reading CONSTANT text[] := '{live,rampdown,complete}';
    was_rank integer := 0;
    was_rollout integer := 0;
    was_rules jsonb := '[]';
    extra integer;
    now_rank integer;
    forward boolean;
    seasoned interval;
    missing text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.stage := coalesce(NEW.stage, CASE WHEN NEW.enabled THEN 'live' ELSE 'off' END);
        NEW.enabled := coalesce(NEW.enabled, NEW.stage = ANY (reading));
        -- A flag that comes back goes on counting: no client may take its first version for an old one.
        NEW.version := 1 + coalesce((SELECT max(h.version) FROM changeover.flag_history AS h WHERE h.flag = NEW.flag), 0);
    ELSE
        IF NEW.flag <> OLD.flag THEN
            RAISE EXCEPTION 'flag % cannot be renamed: applications ask for it by name', OLD.flag
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        IF (NEW.enabled, NEW.stage, NEW.rollout, NEW.plan, NEW.plan_stage, NEW.rules, NEW.hold, NEW.soak_hours,
            NEW.second_person)
           IS NOT DISTINCT FROM
           (OLD.enabled, OLD.stage, OLD.rollout, OLD.plan, OLD.plan_stage, OLD.rules, OLD.hold, OLD.soak_hours,
            OLD.second_person) THEN
            RETURN OLD;  -- nothing changes: no version, no history, no message
        END IF;
        IF NEW.enabled <> OLD.enabled AND NEW.stage = OLD.stage THEN
            NEW.stage := CASE WHEN NEW.enabled THEN 'live' ELSE 'shadow' END;
        ELSIF NEW.stage <> OLD.stage AND NEW.enabled = OLD.enabled THEN
            NEW.enabled := NEW.stage = ANY (reading);
        END IF;
        NEW.version := OLD.version + 1;
        was_rank := coalesce(array_position(ladder, OLD.stage), 0);
        was_rollout := OLD.rollout;
        was_rules := OLD.rules;
    END IF;

    -- Both given, and they contradict each other: the old side is the safe one.
    IF NOT NEW.enabled AND NEW.stage = ANY (reading) THEN
        NEW.stage := 'shadow';
    END IF;
    NEW.enabled := NEW.enabled AND NEW.stage = ANY (reading);

    missing := changeover.flag_rules_wrong(NEW.rules);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the rules of flag % are not understood: %', NEW.flag, missing USING ERRCODE = 'check_violation';
    END IF;

    -- Forward: a later stage, a larger share of the readers, or rules that may let somebody in. New rules in front
    -- of the old ones that let nobody in are a move back.
    now_rank := array_position(ladder, NEW.stage);
    extra := jsonb_array_length(NEW.rules) - jsonb_array_length(was_rules);
    forward := now_rank > was_rank OR (now_rank = was_rank AND (
        NEW.rollout > was_rollout
        OR extra < 0
        OR EXISTS (SELECT FROM jsonb_array_elements(NEW.rules) WITH ORDINALITY AS r
                    WHERE CASE WHEN r.ordinality <= extra THEN r.value ->> 'rollout' IS DISTINCT FROM '0'
                               ELSE r.value <> was_rules -> (r.ordinality - extra - 1)::integer END)));

    IF TG_OP = 'UPDATE' AND forward AND OLD.hold IS NOT NULL AND NEW.hold IS NOT NULL THEN
        RAISE EXCEPTION 'flag % cannot go to %: it is held, because %', NEW.flag, NEW.stage, OLD.hold
            USING ERRCODE = 'CO004', HINT = 'Who has looked into it sets hold to NULL in the same UPDATE.';
    END IF;

    -- From `shadow` on a move forward is guarded; a move back never is.
    IF forward AND NEW.plan IS NOT NULL AND now_rank >= 3 THEN
        missing := changeover.flag_gate(NEW.plan, NEW.plan_stage, NEW.stage);
        IF missing IS NULL AND NEW.stage = 'complete' AND NEW.soak_hours > 0 THEN
            -- Since when has everybody read the new tables, without a break?
            seasoned := clock_timestamp() - (
                SELECT min(h.at) FROM changeover.flag_history AS h
                 WHERE h.flag = NEW.flag
                   AND h.version > (SELECT coalesce(max(b.version), 0) FROM changeover.flag_history AS b
                                     WHERE b.flag = NEW.flag AND NOT (b.stage IN ('rampdown', 'complete')
                                        OR (b.stage = 'live' AND b.rollout = 100))));
            IF coalesce(seasoned < make_interval(secs => NEW.soak_hours * 3600), true) THEN
                missing := format('everybody has read the new tables for %s of %s hours',
                    round(coalesce(extract(epoch FROM seasoned), 0) / 3600, 1), NEW.soak_hours);
            END IF;
        END IF;
        IF missing IS NOT NULL THEN
            RAISE EXCEPTION 'flag % cannot go to %: %', NEW.flag, NEW.stage, missing USING ERRCODE = 'CO003';
        END IF;
    END IF;

    NEW.updated_at := clock_timestamp();
    IF TG_OP = 'INSERT' OR NEW.updated_by IS NOT DISTINCT FROM OLD.updated_by THEN
        NEW.updated_by := coalesce(
            nullif(current_setting('changeover.actor', true), ''),
            nullif(current_setting('role', true), 'none'),
            session_user);
    END IF;
    -- OLD's word counts, so that nobody does without the second person in the same breath.
    IF TG_OP = 'UPDATE' AND forward AND OLD.second_person AND now_rank >= 4 AND NOT EXISTS (
        SELECT FROM changeover.flag_proposal AS p
         WHERE p.flag = NEW.flag AND p.version = OLD.version AND p.proposed_by <> NEW.updated_by
           AND (p.stage, p.rollout, p.rules) = (NEW.stage, NEW.rollout, NEW.rules)) THEN
        RAISE EXCEPTION 'flag % cannot go to %: a second person has to agree', NEW.flag, NEW.stage
            USING ERRCODE = 'CO005', HINT = 'changeover flag promote proposes it, changeover flag approve agrees.';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.reason IS NOT DISTINCT FROM OLD.reason THEN
        NEW.reason := NULL;  -- yesterday's reason is not today's
    END IF;
    NEW.reason := coalesce(nullif(current_setting('changeover.reason', true), ''), NEW.reason);
    IF TG_OP = 'UPDATE' AND NEW.second_person <> OLD.second_person THEN
        NEW.reason := concat_ws('; ', 'second person ' || CASE WHEN NEW.second_person THEN 'on' ELSE 'off' END, NEW.reason);
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION changeover.flag_after() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_flag changeover.feature_flags;
    proposer text;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.version = OLD.version THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        of_flag := OLD;
        of_flag.version := OLD.version + 1;
        of_flag.updated_by := coalesce(
            nullif(current_setting('changeover.actor', true), ''),
            nullif(current_setting('role', true), 'none'),
            session_user);
        of_flag.reason := nullif(current_setting('changeover.reason', true), '');
    ELSE
        of_flag := NEW;
    END IF;
    -- Read and left where it is: the version has gone on, and a move back must wait for no row of somebody's proposal.
    SELECT p.proposed_by INTO proposer
      FROM changeover.flag_proposal AS p
     WHERE TG_OP = 'UPDATE' AND p.flag = of_flag.flag AND p.version = of_flag.version - 1
       AND p.proposed_by <> of_flag.updated_by
       AND (p.stage, p.rollout, p.rules) = (of_flag.stage, of_flag.rollout, of_flag.rules);
    INSERT INTO changeover.flag_history
        (flag, version, kind, enabled, stage, rollout, was_stage, was_rollout, actor, reason, rules, proposed_by)
    VALUES
        (of_flag.flag, of_flag.version,
         CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
         of_flag.enabled, of_flag.stage, of_flag.rollout,
         CASE WHEN TG_OP <> 'INSERT' THEN OLD.stage END, CASE WHEN TG_OP <> 'INSERT' THEN OLD.rollout END,
         of_flag.updated_by, of_flag.reason, of_flag.rules, proposer);
    -- A bell, delivered at commit: whoever may connect may listen, and may send one as well. Clients read the snapshot.
    PERFORM pg_notify('changeover_flags', '');
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION changeover.flag_no_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE on changeover.feature_flags refused: it would tell no client'
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'DELETE the flags by name.';
END
$$;

CREATE OR REPLACE TRIGGER flag_before BEFORE INSERT OR UPDATE ON changeover.feature_flags
    FOR EACH ROW EXECUTE FUNCTION changeover.flag_before();
CREATE OR REPLACE TRIGGER flag_after AFTER INSERT OR UPDATE OR DELETE ON changeover.feature_flags
    FOR EACH ROW EXECUTE FUNCTION changeover.flag_after();
CREATE OR REPLACE TRIGGER flag_no_truncate BEFORE TRUNCATE ON changeover.feature_flags
    FOR EACH STATEMENT EXECUTE FUNCTION changeover.flag_no_truncate();
