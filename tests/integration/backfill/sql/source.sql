-- A source table, its mirror and its compiled functions, written by hand and as simple as the contract of backfill/ allows:
-- legacy(id, body, amount text) becomes fresh(source, id, body, amount int). A body 'reject me' is a planned reject.
CREATE TABLE public.{legacy} (id bigint PRIMARY KEY, body text, amount text) WITH (autovacuum_enabled = off);

CREATE FUNCTION changeover.{batch}(lo bigint, hi bigint) RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1128419927, {id});
    SELECT count(*), count(*) FILTER (WHERE s.body = 'reject me') INTO seen, rejected
      FROM public.{legacy} AS s
     WHERE s.ctid >= format('(%s,0)', lo)::tid AND s.ctid < format('(%s,0)', hi)::tid;
    INSERT INTO changeover.reject (source_id, source, stage, key, reason)
    SELECT {id}, {name}, 'test', s.id::text, 'planned'
      FROM public.{legacy} AS s
     WHERE s.ctid >= format('(%s,0)', lo)::tid AND s.ctid < format('(%s,0)', hi)::tid AND s.body = 'reject me';
    INSERT INTO public.fresh (source, id, body, amount)
    SELECT {id}, s.id, s.body, s.amount::int
      FROM public.{legacy} AS s
     WHERE s.ctid >= format('(%s,0)', lo)::tid AND s.ctid < format('(%s,0)', hi)::tid AND s.body IS DISTINCT FROM 'reject me'
        ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS copied = ROW_COUNT;
    RETURN NEXT;
END $$;

CREATE FUNCTION changeover.{apply}(keys text[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM public.fresh AS t
     WHERE t.source = {id} AND t.id = ANY (keys::bigint[])
       AND NOT EXISTS (SELECT FROM public.{legacy} AS s WHERE s.id = t.id);
    INSERT INTO public.fresh (source, id, body, amount)
    SELECT {id}, s.id, s.body, s.amount::int FROM public.{legacy} AS s WHERE s.id = ANY (keys::bigint[]) AND s.body IS DISTINCT FROM 'reject me'
        ON CONFLICT (source, id) DO UPDATE SET body = excluded.body, amount = excluded.amount
$$;

CREATE FUNCTION changeover.{fragments}() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'path', 'pg_catalog', 'source', 'public.' || {table}, 'target', 'public.fresh', 'written', ARRAY['public.fresh'],
        'key', 'x.id::text', 'row', 'to_jsonb(x)', 'of_keys', 'x.id = ANY ($1::bigint[])', 'lock', ARRAY[]::text[],
        'remove', 'DELETE FROM public.fresh g WHERE g.id = ANY ($1::bigint[]) AND g.source = ' || {id},
        'remove_all', 'DELETE FROM public.fresh g WHERE g.source = ' || {id})
$$;

CREATE FUNCTION changeover.{compared}(lo tid, hi tid, first boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb) LANGUAGE sql STABLE AS $$
    SELECT s.id::text, CASE WHEN t.id IS NULL THEN 'missing' ELSE 'different' END,
           CASE WHEN t.id IS NOT NULL THEN ARRAY['body'] END, to_jsonb(s), to_jsonb(t)
      FROM public.{legacy} AS s
      LEFT JOIN public.fresh AS t ON t.source = {id} AND t.id = s.id
     WHERE s.ctid >= lo AND s.ctid < hi
       AND s.body IS DISTINCT FROM 'reject me'
       AND (t.id IS NULL OR t.body IS DISTINCT FROM s.body OR t.amount IS DISTINCT FROM s.amount::int)
$$;

-- The mirror leaves a queued key for each delete, as the real one does: a batch may bring the row back.
CREATE FUNCTION changeover.{mirror}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.fresh WHERE source = {id} AND id = OLD.id;
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES ({id}, 'forward', OLD.id::text, 'delete');
    ELSE
        INSERT INTO public.fresh (source, id, body, amount) VALUES ({id}, NEW.id, NEW.body, NEW.amount::int)
            ON CONFLICT (source, id) DO UPDATE SET body = excluded.body, amount = excluded.amount;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mirror AFTER INSERT OR UPDATE OR DELETE ON public.{legacy}
    FOR EACH ROW EXECUTE FUNCTION changeover.{mirror}();

INSERT INTO changeover.source (mapping_id, name, schema_name, table_name, oid, state)
VALUES (1, {name}, 'public', {table}, {name}::regclass, 'mirrored')
