-- Reverse mirror of a split: one column of the source row gets the value of one target row, or what the plan calls absent;
-- of a write that waited, only if the column still has the value that it had before. What the column cannot hold, or what does
-- not count, is not kept in the target either.
CREATE OR REPLACE FUNCTION changeover.:fn:_put(p_key text, p_item text, p_waited boolean, p_before :kind:, p_value :kind:)
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
BEGIN
    IF p_item <> ALL (:items:) THEN
        RETURN;
    END IF;
    -- A view has no tableoid: where contract has put one in the table's place meanwhile, this waits in queue. So does
    -- what is written before the parent could be written back.
    PERFORM x.tableoid FROM :source: x WHERE :row_of_key:;
    IF NOT FOUND THEN
        IF NOT p_waited AND p_value IS NOT DISTINCT FROM CAST(:absent: AS :kind:) AND NOT EXISTS (
            SELECT FROM changeover.queue c JOIN changeover.source z ON z.id = c.source_id
            WHERE c.key = ANY (:waits_under:) AND c.direction = 'reverse' AND z.oid = :source_oid:)
        THEN
            -- The old row has gone, and has taken this one with it (C15): there is nothing to write back.
            RETURN;
        END IF;
        RAISE EXCEPTION 'the row % of the old table is not there', p_key USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM set_config('changeover.origin', :reverse:, true);
    PERFORM set_config('changeover.putting', ARRAY[p_key]::text, true);
    UPDATE :source: x SET :put_set:
    FROM (SELECT) one
    WHERE :row_of_key:
      AND coalesce(CASE p_item :value_now: END, :absent:) IS DISTINCT FROM p_value
      AND (NOT p_waited OR coalesce(CASE p_item :value_now: END, :absent:) IS NOT DISTINCT FROM p_before);
    IF NOT p_waited
        AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = ANY (:waits_under:) AND c.source_id = :id: AND c.patch ? 'set')
    THEN
        -- An earlier write of this item still waits. This one is newer: the other must not find its old value here
        -- again and take it for untouched.
        UPDATE changeover.queue c SET patch = jsonb_set(c.patch, '{set}', (c.patch -> 'set') - p_item)
        WHERE c.key = ANY (:waits_under:) AND c.source_id = :id: AND c.direction = 'reverse' AND c.patch ? 'set';
    END IF;
    IF changeover.deferrable(ARRAY[:source_oid:]::oid[]) THEN
        PERFORM changeover.check_constraints(ARRAY[:source_oid:]::oid[]);
    END IF;
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
    IF EXISTS (
        SELECT FROM (SELECT d.* FROM (
:by_key:
        ) d WHERE d."#reason" IS NULL AND d.:item: = p_item) d
        FULL JOIN (SELECT g.* FROM :target: g WHERE g.:parent_column: = :target_of_p_key: AND g.:item: = p_item) g
            ON g.:parent_column: = d.:parent_column:
        WHERE d.:item: IS NULL OR g.:item: IS NULL OR :differs:
    ) THEN
        PERFORM changeover.:fn:_apply(ARRAY[p_key]);
    END IF;
END
$changeover$
