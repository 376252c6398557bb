CREATE TABLE public.fresh (source int, id bigint, body text, amount int, PRIMARY KEY (source, id)) WITH (autovacuum_enabled = off);

CREATE FUNCTION changeover.x1_orphans(lo bigint, hi bigint)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb) LANGUAGE plpgsql AS $$
DECLARE
    s record;
BEGIN
    FOR s IN SELECT id, table_name FROM changeover.source LOOP
        RETURN QUERY EXECUTE format(
            $q$ SELECT t.id::text, 'orphan', NULL::text[], NULL::jsonb, to_jsonb(t)
                  FROM public.fresh AS t
                 WHERE t.source = $1 AND t.ctid >= $2 AND t.ctid < $3
                   AND NOT EXISTS (SELECT FROM public.%I AS s WHERE s.id = t.id) $q$, s.table_name)
        USING s.id, format('(%s,0)', lo)::tid, format('(%s,0)', hi)::tid;
    END LOOP;
    RETURN QUERY
    SELECT count(*)::text, 'counted', NULL::text[], NULL::jsonb, NULL::jsonb
      FROM public.fresh AS t
     WHERE t.ctid >= format('(%s,0)', lo)::tid AND t.ctid < format('(%s,0)', hi)::tid;
END $$;

INSERT INTO changeover.mapping (plan, stage, name, kind, target, target_oid)
VALUES ('test', 'test', 'fresh', 'unify', 'public.fresh', 'public.fresh'::regclass);

INSERT INTO changeover.lease (plan, owner, epoch, expires_at) VALUES ('test', 'tests', 1, clock_timestamp() + interval '1 hour')
