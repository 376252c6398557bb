-- Which of 10,000 buckets a targeting key falls into, for this flag: sticky, and the same in every client
-- (flags/stages.py computes the same; a property test compares the two). The flag's name is part of it, so that
-- it is not always the same unlucky users who go first.
CREATE OR REPLACE FUNCTION changeover.flag_bucket(flag text, key text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (('x' || substr(encode(sha256(convert_to(flag || chr(31) || key, 'UTF8')), 'hex'), 1, 12))::bit(48)::bigint
        % 10000)::integer;

-- Does this key read the new tables? For triggers, views, PostgREST; unknown flag: no. Without a key only a
-- full rollout says yes, because nothing else would be sticky. SECURITY DEFINER: USAGE of the schema is enough.
CREATE OR REPLACE FUNCTION changeover.flag_reads_new(of_flag text, of_key text DEFAULT NULL) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN coalesce((
    SELECT f.stage IN ('rampdown', 'complete')
        OR (f.stage = 'live' AND (f.rollout = 100 OR coalesce(changeover.flag_bucket(f.flag, of_key) < f.rollout * 100, false)))
      FROM changeover.feature_flags AS f
     WHERE f.flag = of_flag), false);
