-- What is compiled in a transaction that is rolled back takes its numbers back with it: a sequence that is restarted begins a
-- new file, which goes with the transaction. A mirror's number is in the names of its triggers and functions.
DO $$
DECLARE
    v_sequence text;
    v_next bigint;
BEGIN
    FOREACH v_sequence IN ARRAY ARRAY[
        pg_get_serial_sequence('changeover.mapping', 'id'), pg_get_serial_sequence('changeover.source', 'id')
    ] LOOP
        EXECUTE format('SELECT last_value + is_called::int FROM %s', v_sequence) INTO v_next;
        EXECUTE format('ALTER SEQUENCE %s RESTART WITH %s', v_sequence, v_next);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;  -- somebody who may compile and does not own the ledger leaves gaps
END $$
