-- What shadow reads have seen: sums per second and version of the flag, and the mismatches themselves, bounded.
-- The version keeps evidence apart: what was seen before a move says nothing about what is read after it.
CREATE TABLE IF NOT EXISTS changeover.flag_reading (
    flag text NOT NULL,
    version bigint NOT NULL,
    read text NOT NULL,
    second timestamptz NOT NULL,
    compared bigint NOT NULL DEFAULT 0,
    mismatches bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    late bigint NOT NULL DEFAULT 0,
    old_ms bigint[] NOT NULL,
    new_ms bigint[] NOT NULL,
    PRIMARY KEY (flag, version, read, second)
);
CREATE TABLE IF NOT EXISTS changeover.flag_mismatch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    flag text NOT NULL,
    version bigint NOT NULL,
    read text NOT NULL,
    key text,
    kind text NOT NULL CHECK (kind IN ('different', 'error', 'late')),
    fields text[] NOT NULL DEFAULT '{}',
    old_value jsonb,
    new_value jsonb,
    old_ms double precision,
    new_ms double precision
);
CREATE INDEX IF NOT EXISTS flag_mismatch_flag ON changeover.flag_mismatch (flag, id);

-- When the guard takes a flag back. No row: the guard's defaults (flags/guard.py).
CREATE TABLE IF NOT EXISTS changeover.flag_limit (
    flag text PRIMARY KEY,
    enabled boolean NOT NULL,
    window_s integer NOT NULL CHECK (window_s BETWEEN 1 AND 86400),
    least integer NOT NULL CHECK (least > 0),
    mismatches double precision NOT NULL CHECK (mismatches >= 0),
    errors double precision NOT NULL CHECK (errors >= 0),
    slower double precision NOT NULL CHECK (slower > 0),
    floor_ms double precision NOT NULL CHECK (floor_ms >= 0)
);

-- Element by element, for histograms.
CREATE OR REPLACE FUNCTION changeover.flag_added(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT array_agg(coalesce(x, 0) + coalesce(y, 0) ORDER BY n) FROM unnest(a, b) WITH ORDINALITY AS u (x, y, n));

-- Who reports decides with others whether a flag is taken back, so it is a right of its own: INSERT on flag_reading, which
-- `changeover flag allow ROLE --reports` gives. The functions below run as their owner, so they ask for the role of the session.
CREATE OR REPLACE FUNCTION changeover.flag_may_report() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT has_table_privilege(
        CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role')::name END,
        'changeover.flag_reading', 'INSERT')
$$;

-- What an application reports, in one call. SECURITY DEFINER: it reads and writes what the role itself may not.
CREATE OR REPLACE FUNCTION changeover.flag_report(sums jsonb, samples jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT changeover.flag_may_report() THEN
        RAISE insufficient_privilege USING MESSAGE = 'this role may not report shadow reads',
            HINT = 'changeover flag allow ROLE --reports';
    END IF;
    INSERT INTO changeover.flag_reading AS r (flag, version, read, second, compared, mismatches, errors, late, old_ms, new_ms)
    SELECT s.flag, s.version, s.read, s.second, s.compared, s.mismatches, s.errors, s.late, s.old_ms, s.new_ms
      FROM jsonb_to_recordset(sums) AS s (flag text, version bigint, read text, second timestamptz, compared bigint,
           mismatches bigint, errors bigint, late bigint, old_ms bigint[], new_ms bigint[])
     ORDER BY 1, 2, 3, 4
    ON CONFLICT (flag, version, read, second) DO UPDATE
       SET compared = r.compared + excluded.compared, mismatches = r.mismatches + excluded.mismatches,
           errors = r.errors + excluded.errors, late = r.late + excluded.late,
           old_ms = changeover.flag_added(r.old_ms, excluded.old_ms),
           new_ms = changeover.flag_added(r.new_ms, excluded.new_ms);
    INSERT INTO changeover.flag_mismatch (flag, version, read, key, kind, fields, old_value, new_value, old_ms, new_ms)
    SELECT s.flag, s.version, s.read, s.key, s.kind, s.fields, s.old_value, s.new_value, s.old_ms, s.new_ms
      FROM jsonb_to_recordset(samples) AS s (flag text, version bigint, read text, key text, kind text, fields text[],
           old_value jsonb, new_value jsonb, old_ms double precision, new_ms double precision);
    -- Shadow reads may go on for months: the last 5,000 mismatches of a flag, and a week of sums.
    DELETE FROM changeover.flag_mismatch AS m
     USING (SELECT DISTINCT s.flag FROM jsonb_to_recordset(samples) AS s (flag text)) AS f
     WHERE m.flag = f.flag
       AND m.id <= (SELECT o.id FROM changeover.flag_mismatch AS o WHERE o.flag = f.flag ORDER BY o.id DESC OFFSET 5000 LIMIT 1);
    DELETE FROM changeover.flag_reading AS r
     USING (SELECT DISTINCT s.flag, s.version, s.read FROM jsonb_to_recordset(sums) AS s (flag text, version bigint, read text)) AS f
     WHERE (r.flag, r.version, r.read) = (f.flag, f.version, f.read) AND r.second < statement_timestamp() - interval '7 days';
END
$$;

-- What the guard decides by: the sums of the window, of this version of the flag only.
CREATE OR REPLACE FUNCTION changeover.flag_window(of_flag text, default_window_s integer)
RETURNS TABLE (stage text, version bigint, compared bigint, mismatches bigint, errors bigint, late bigint,
               old_ms bigint[], new_ms bigint[], limits jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.stage, f.version, coalesce(w.compared, 0), coalesce(w.mismatches, 0), coalesce(w.errors, 0),
           coalesce(w.late, 0), o.sums, n.sums, to_jsonb(l) - 'flag'
      FROM changeover.feature_flags AS f
      LEFT JOIN changeover.flag_limit AS l ON l.flag = f.flag
     CROSS JOIN LATERAL (
        SELECT statement_timestamp() - make_interval(secs => coalesce(l.window_s, default_window_s)) AS since) AS t
     CROSS JOIN LATERAL (
        SELECT sum(r.compared)::bigint AS compared, sum(r.mismatches)::bigint AS mismatches,
               sum(r.errors)::bigint AS errors, sum(r.late)::bigint AS late
          FROM changeover.flag_reading AS r
         WHERE r.flag = f.flag AND r.version = f.version AND r.second >= t.since) AS w
     CROSS JOIN LATERAL (
        SELECT array_agg(b.total ORDER BY b.n) AS sums FROM (
            SELECT u.n, sum(u.x)::bigint AS total
              FROM changeover.flag_reading AS r, unnest(r.old_ms) WITH ORDINALITY AS u (x, n)
             WHERE r.flag = f.flag AND r.version = f.version AND r.second >= t.since GROUP BY u.n) AS b) AS o
     CROSS JOIN LATERAL (
        SELECT array_agg(b.total ORDER BY b.n) AS sums FROM (
            SELECT u.n, sum(u.x)::bigint AS total
              FROM changeover.flag_reading AS r, unnest(r.new_ms) WITH ORDINALITY AS u (x, n)
             WHERE r.flag = f.flag AND r.version = f.version AND r.second >= t.since GROUP BY u.n) AS b) AS n
     WHERE f.flag = of_flag AND changeover.flag_may_report()
$$;

-- The guard's one move: a stage back, for everybody, held for a person; nothing if somebody has moved it meanwhile. An
-- application that may report calls it.
CREATE OR REPLACE FUNCTION changeover.flag_retreat(of_flag text, of_version bigint, why text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ladder CONSTANT text[] := '{off,dualwrite,shadow,live,rampdown,complete}';
    gone changeover.feature_flags;
BEGIN
    IF NOT changeover.flag_may_report() THEN
        RAISE insufficient_privilege USING MESSAGE = 'this role may not report shadow reads',
            HINT = 'changeover flag allow ROLE --reports';
    END IF;
    PERFORM set_config('changeover.actor', 'guard', true), set_config('changeover.reason', why, true);
    UPDATE changeover.feature_flags AS f
       SET stage = ladder[array_position(ladder, f.stage) - 1], rollout = 100, hold = why
     WHERE f.flag = of_flag AND f.version = of_version AND f.stage IN ('shadow', 'live', 'rampdown')
    RETURNING f.* INTO gone;
    PERFORM set_config('changeover.actor', '', true), set_config('changeover.reason', '', true);
    IF gone.flag IS NOT NULL AND to_regclass('changeover.event') IS NOT NULL THEN
        INSERT INTO changeover.event (actor, plan, stage, kind, detail)
        VALUES ('guard', gone.plan, gone.plan_stage, 'flag.retreated',
                jsonb_build_object('flag', gone.flag, 'to', gone.stage, 'version', gone.version, 'why', why, 'by', session_user));
    END IF;
    RETURN gone.stage;
END
$$;
