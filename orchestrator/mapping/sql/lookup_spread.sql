-- The old rows of one source that hang on a changed row of a lookup. What an application of the new side has
-- changed goes back to them, where nobody else has changed it since; what a mirror has changed is kept beside
-- the new rows instead, because the old ones did not change.
-- With "late" it is the second look, at rows that somebody wrote while the change was not committed: he has read what
-- stood there before, and nobody else has seen his rows. It waits until all have ended who were there when it could
-- first be made; who comes later reads what stands there now.
CREATE OR REPLACE FUNCTION changeover.:fn:(p_source integer, p_change jsonb)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_others text[];
    v_keys text[];
BEGIN
    IF p_change ? 'late' THEN
        v_others := ARRAY(
            SELECT coalesce(l.virtualxid, l.transactionid::text) FROM pg_catalog.pg_locks l
            WHERE l.locktype IN ('virtualxid', 'transactionid') AND l.mode = 'ExclusiveLock' AND l.granted
              AND (l.pid IN (SELECT a.pid FROM pg_catalog.pg_stat_activity a
                             WHERE a.datname = current_database() AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid())
                   OR l.transactionid IN (SELECT p.transaction FROM pg_catalog.pg_prepared_xacts p
                                          WHERE p.database = current_database())));
        IF p_change ? 'others' THEN
            v_others := ARRAY(SELECT unnest(v_others) INTERSECT SELECT jsonb_array_elements_text(p_change -> 'others'));
        END IF;
        IF v_others <> '{}' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch, not_before)
            VALUES (p_source, 'reverse', NULL, 'lookup', p_change || jsonb_build_object('others', v_others),
                    clock_timestamp() + interval '500 ms');
            RETURN;
        END IF;
        p_change := p_change || (
            SELECT jsonb_build_object('new', to_jsonb(n))
            FROM jsonb_populate_record(NULL:: :lookup:, p_change -> 'old') o JOIN :lookup: n ON n.:lookup_key: = o.:lookup_key:);
        IF p_change IS NULL THEN
            RETURN;
        END IF;
    END IF;
    :parts:
END
$changeover$
