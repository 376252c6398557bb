-- Run by hand before the plan, with psql: rows get a number, first those that come, then those that are there, 100 at a time.
CREATE SEQUENCE public.events_id_seq;
ALTER TABLE public.events ADD COLUMN id bigint;
ALTER TABLE public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq');
ALTER SEQUENCE public.events_id_seq OWNED BY public.events.id;
DO $$
BEGIN
    LOOP
        UPDATE public.events SET id = nextval('public.events_id_seq')
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.events WHERE id IS NULL LIMIT 100 FOR UPDATE SKIP LOCKED)) AND id IS NULL;
        EXIT WHEN NOT FOUND AND NOT EXISTS (SELECT FROM public.events WHERE id IS NULL);
        COMMIT;
    END LOOP;
END $$;
