-- Twelve tables of one sort, one per office, made by a program as in real life; some have a column that others lack.
DO $$
BEGIN
    FOR i IN 1..12 LOOP
        EXECUTE format('CREATE TABLE public.visits_%s (id serial PRIMARY KEY, guest text, seen date)', lpad(i::text, 3, '0'));
        IF i % 3 = 0 THEN
            EXECUTE format('ALTER TABLE public.visits_%s ADD badge text', lpad(i::text, 3, '0'));
        END IF;
        EXECUTE format('INSERT INTO public.visits_%s (guest, seen) SELECT ''guest '' || g, date ''2024-01-01'' + g FROM generate_series(1, 20) g',
            lpad(i::text, 3, '0'));
    END LOOP;
END $$;
