-- Which of 10,000 buckets a targeting key falls into, for this flag: insert_only, and the same in every client
-- (flags/stages.py computes the same; a property test compares the two). The flag's name is part of it, so that
-- it is not always the same unlucky users who go first.
CREATE OR REPLACE FUNCTION changeover.flag_bucket(flag text, key text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (('x' || substr(encode(sha256(convert_to(flag || chr(31) || key, 'UTF8')), 'hex'), 1, 12))::bit(48)::bigint
        % 10000)::integer;

-- Does a rule's `if` hold for what is known about the caller? As flags/rules.py has it: what is missing, null or
-- no plain value matches nothing.
CREATE OR REPLACE FUNCTION changeover.flag_rule_matches(conditions jsonb, context jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((
    SELECT bool_and(
        CASE
            WHEN coalesce(jsonb_typeof(context -> c.key), 'null') NOT IN ('string', 'number', 'boolean') THEN false
            WHEN jsonb_typeof(c.value) = 'array' THEN c.value @> jsonb_build_array(context -> c.key)
            WHEN jsonb_typeof(c.value) = 'object' THEN
                (NOT c.value ? 'not' OR NOT CASE
                    WHEN jsonb_typeof(c.value -> 'not') = 'array' THEN c.value -> 'not' @> jsonb_build_array(context -> c.key)
                    ELSE c.value -> 'not' = context -> c.key END)
                AND (NOT c.value ? 'prefix' OR (jsonb_typeof(context -> c.key) = 'string'
                    AND starts_with(context ->> c.key, c.value ->> 'prefix')))
                AND (NOT c.value ? 'suffix' OR (jsonb_typeof(context -> c.key) = 'string'
                    AND starts_with(reverse(context ->> c.key), reverse(c.value ->> 'suffix'))))
            ELSE c.value = context -> c.key
        END)
      FROM jsonb_each(conditions) AS c), true);

-- Is there anything but texts, numbers and booleans in a list?
CREATE OR REPLACE FUNCTION changeover.flag_not_plain(list jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS (
    SELECT FROM jsonb_array_elements(list) AS e (value) WHERE jsonb_typeof(e.value) NOT IN ('string', 'number', 'boolean'));

-- What is wrong with rules, NULL if nothing is: a client must never meet one that it does not understand.
CREATE OR REPLACE FUNCTION changeover.flag_rules_wrong(rules jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN jsonb_typeof(rules) <> 'array' THEN 'they are no list'
    WHEN octet_length(rules::text) > 6000 THEN 'they take more than 6000 bytes'
    ELSE (
        SELECT min(format('rule %s is no rule: %s', r.ordinality, left(r.value::text, 80)))
          FROM jsonb_array_elements(rules) WITH ORDINALITY AS r
         WHERE CASE
            WHEN jsonb_typeof(r.value) <> 'object' THEN true
            WHEN (r.value - 'name' - 'if' - 'rollout') <> '{}' THEN true
            WHEN jsonb_typeof(coalesce(r.value -> 'name', '""')) <> 'string' THEN true
            WHEN coalesce(r.value ->> 'rollout', '100') !~ '^([0-9]{1,2}|100)$'
              OR jsonb_typeof(coalesce(r.value -> 'rollout', '100')) <> 'number' THEN true
            WHEN jsonb_typeof(coalesce(r.value -> 'if', '{}')) <> 'object' THEN true
            ELSE EXISTS (
                SELECT FROM jsonb_each(coalesce(r.value -> 'if', '{}')) AS c
                 WHERE CASE jsonb_typeof(c.value)
                    WHEN 'null' THEN true
                    WHEN 'array' THEN changeover.flag_not_plain(c.value)
                    WHEN 'object' THEN c.value = '{}' OR (c.value - 'not' - 'prefix' - 'suffix') <> '{}'
                        OR jsonb_typeof(coalesce(c.value -> 'prefix', '""')) <> 'string'
                        OR jsonb_typeof(coalesce(c.value -> 'suffix', '""')) <> 'string'
                        OR CASE jsonb_typeof(c.value -> 'not')
                            WHEN 'array' THEN changeover.flag_not_plain(c.value -> 'not')
                            ELSE changeover.flag_not_plain(jsonb_build_array(coalesce(c.value -> 'not', '""'))) END
                    ELSE false END)
            END)
    END;

-- The stage that counts for this caller: the first rule that matches gives the percentage, else the flag's own does;
-- outside of it is one stage behind. NULL for an unknown flag. SECURITY DEFINER: USAGE of the schema is enough.
CREATE OR REPLACE FUNCTION changeover.flag_stage(of_flag text, of_key text, context jsonb) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE
            WHEN coalesce(w.rollout = 100 OR changeover.flag_bucket(f.flag, of_key) < w.rollout * 100, false) THEN f.stage
            ELSE l.ladder[greatest(array_position(l.ladder, f.stage) - 1, 1)]
           END
      FROM changeover.feature_flags AS f
     CROSS JOIN (VALUES ('{off,dualwrite,shadow,live,rampdown,complete}'::text[])) AS l (ladder)
     CROSS JOIN LATERAL (SELECT coalesce((
            SELECT coalesce((r.value ->> 'rollout')::integer, 100)
              FROM jsonb_array_elements(f.rules) WITH ORDINALITY AS r
             WHERE changeover.flag_rule_matches(
                    coalesce(r.value -> 'if', '{}'),
                    coalesce(context, '{}') - 'targetingKey'
                        || CASE WHEN of_key IS NULL THEN '{}' ELSE jsonb_build_object('targetingKey', of_key) END)
             ORDER BY r.ordinality
             LIMIT 1), f.rollout) AS rollout) AS w
     WHERE f.flag = of_flag);

-- All flags for a client, and those that were removed in their last stages: they go on reading the new tables.
CREATE OR REPLACE FUNCTION changeover.flag_snapshot()
RETURNS TABLE (flag text, version bigint, stage text, rollout integer, rules jsonb, deleted boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.flag, f.version, f.stage, f.rollout, f.rules, false FROM changeover.feature_flags AS f
    UNION ALL
    SELECT h.flag, h.version, h.stage, h.rollout, h.rules, true
      FROM changeover.flag_history AS h
     WHERE h.kind = 'deleted' AND h.stage IN ('rampdown', 'complete')
       AND NOT EXISTS (SELECT FROM changeover.flag_history AS l WHERE l.flag = h.flag AND l.version > h.version)
$$;

-- Does this caller read the new tables? For triggers, views, PostgREST. Without a key only a full rollout says
-- yes, because nothing else would be insert_only. Unknown flag: no, unless it was removed in its last stages.
CREATE OR REPLACE FUNCTION changeover.flag_reads_new(of_flag text, of_key text, context jsonb) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN coalesce(
    changeover.flag_stage(of_flag, of_key, context) IN ('live', 'rampdown', 'complete'),
    EXISTS (SELECT FROM changeover.flag_snapshot() AS s WHERE s.flag = of_flag AND s.deleted));

CREATE OR REPLACE FUNCTION changeover.flag_reads_new(of_flag text, of_key text DEFAULT NULL) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN changeover.flag_reads_new(of_flag, of_key, '{}'::jsonb);
