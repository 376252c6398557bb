-- Make the rows of these parents what the columns of their source say now. A parent that stands without its
-- source row (the new side has put it away) keeps its rows; one that is gone takes all with it, also those that it had
-- in another table. A batch under way may have read the columns before
-- this change, so until the copy is done the keys are looked at once more. What the new side has written and could
-- not write back yet is left alone.
CREATE OR REPLACE FUNCTION changeover.:fn:_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_parents :parent_type:[];
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    -- Parents in an array, because a table of two keys invites a planner without statistics to join it whole.
    v_parents := ARRAY(SELECT :target_of_key: FROM unnest("#keys") AS k (key));
    -- The look alone is less to set up than the DELETE, and a new row has nothing there.
    IF EXISTS (SELECT FROM :target: g WHERE g.:parent_column: = ANY (v_parents)) THEN
        DELETE FROM :target: g
        USING unnest("#keys") AS k (key)
        WHERE g.:parent_column: = ANY (v_parents) AND g.:parent_column: = :target_of_key:
          AND (g.:item: = ANY (:items:) AND :own: AND (EXISTS (SELECT FROM :source: x WHERE :row_of_key:) OR :parentless:) OR :orphan:)
          AND ((g.:parent_column:, g.:item:) IN (SELECT d.:parent_column:, d.:item: FROM (
:by_keys:
          ) d WHERE d."#reason" IS NULL)) IS NOT TRUE
          AND NOT EXISTS (SELECT FROM changeover.queue c
                          WHERE c.key IN (k.key, CAST(g.:parent_column: AS text)) AND c.source_id = :id: AND c.patch -> 'set' ? g.:item:);
    END IF;
    INSERT INTO :target: AS g (:columns:)
    SELECT :derived_columns:
    FROM (
:by_keys:
    ) d
    WHERE d."#reason" IS NULL
      AND NOT EXISTS (SELECT FROM changeover.queue c
                      WHERE c.key IN (d."#key", CAST(d.:parent_column: AS text)) AND c.source_id = :id: AND c.patch -> 'set' ? d.:item:)
    ON CONFLICT :conflict: DO UPDATE SET :update_set:
    WHERE :changed:;
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT :id:, 'forward', k.key, 'copying'
    FROM unnest("#keys") AS k (key)
    WHERE current_setting('changeover.draining', true) IS DISTINCT FROM ':id:'
      AND (current_setting('transaction_isolation') <> 'read committed'
           OR EXISTS (SELECT FROM changeover.source z WHERE z.id = :id: AND z.state NOT IN ('copied', 'archived')));
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
