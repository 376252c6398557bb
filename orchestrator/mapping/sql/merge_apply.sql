-- Make the target what its sources say now for these natural keys.
-- Two writers may touch two sources of one key at once, and neither sees the other's row. So the target rows are
-- locked before the sources are read: the second writer sees what the first has committed while it waited. Rows
-- that are not there yet cannot be locked; where one of them turns out to be there after all, the first upsert is
-- what waits, and a second one derives again. In REPEATABLE READ the wait ends in an error, which leaves the key
-- in recheck.
CREATE OR REPLACE FUNCTION changeover.:fn:_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_standing bigint;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    SELECT count(*) INTO v_standing
    FROM (SELECT FROM :target: g WHERE g.:target_key: = ANY ("#keys") ORDER BY g.:target_key: FOR NO KEY UPDATE) g;
    IF EXISTS (SELECT FROM (
:by_keys:
    ) d WHERE d."#reason" IS NULL AND d."#unresolved") THEN
        :create_by_keys:
    END IF;

    FOR v_pass IN 1..2 LOOP
        -- Values that only one row may have are given up before another row takes them.
        :release:
        INSERT INTO :target: AS g (:columns:)
        SELECT :derived_columns:
        FROM (
:by_keys:
        ) d
        WHERE d."#reason" IS NULL
        ORDER BY d.:target_key:
        ON CONFLICT :conflict: DO UPDATE SET :update_set:
        WHERE NOT :is_ahead: AND :changed:;
        EXIT WHEN v_standing >= cardinality("#keys");
    END LOOP;

    :update_ahead:

    -- Keys that no source has any more; not those that the new side has made and could not write back yet.
    :gone:

    INSERT INTO changeover.recheck (source_id, direction, key, cause)
    SELECT :first_source:, 'forward', k.key, 'gone'
    FROM unnest("#keys") AS k (key)
    WHERE current_setting('changeover.sweeping', true) IS DISTINCT FROM 'on'
      AND (current_setting('transaction_isolation') <> 'read committed'
           OR EXISTS (SELECT FROM changeover.source z WHERE z.mapping_id = :mapping: AND z.state NOT IN ('copied', 'archived')))
      AND (k.key IN (SELECT d."#key" FROM (
:by_keys:
      ) d WHERE d."#reason" IS NULL)) IS NOT TRUE;

    -- The rejects of these keys become exactly those that apply now; a waived one stays waived.
    :settle_rejects:
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
