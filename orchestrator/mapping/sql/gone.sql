-- Rows that the application has deleted, where nothing extraordinary stands in the way: whether they are gone here too. If
-- not, all is left to _apply. Whoever writes a target row of these keys is waited for first, and only then it is asked
-- whether the source has such a row again. A batch that has not committed may bring the row back: then it is looked at
-- again. Called by the mirror alone, within its settings.
CREATE OR REPLACE FUNCTION changeover.:fn:_gone("#keys" text[])
RETURNS boolean
LANGUAGE plpgsql
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_gone text[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN false;
    END IF;
    PERFORM FROM :target: g, unnest("#keys") AS k (key) WHERE :target_of_key: AND :own: AND :alive: FOR UPDATE OF g;
    IF EXISTS (SELECT FROM :source: x WHERE :rows_of_keys:)
        OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = ANY ("#keys"))
        OR EXISTS (SELECT FROM changeover.queue c
                   WHERE c.source_id = :id: AND c.direction = 'reverse' AND c.key = ANY ("#keys"))
        OR EXISTS (:waiting:)
    THEN
        RETURN false;
    END IF;
    PERFORM set_config('changeover.origin', :forward:, true);
    WITH gone AS (
        DELETE FROM :target: g USING unnest("#keys") AS k (key) WHERE :target_of_key: AND :own: AND :alive: RETURNING k.key
    )
    SELECT array_agg(d.key) INTO v_gone FROM gone d;
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT :id:, 'forward', k.key, 'gone' FROM unnest("#keys") AS k (key)
    WHERE EXISTS (SELECT FROM changeover.source z WHERE z.id = :id: AND z.state NOT IN ('copied', 'archived'));
    :release_gone:
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN true;
END
$changeover$
