-- Of a source without a unique key (the others have changeover.apply): make the target what it says now for these keys; the caller is a writer of the rows or has locked them.
-- The ordinary case is the one statement; whatever is not ordinary (a row that is gone, rejected, made of a
-- missing lookup, one of several with its key, or ahead on the new side) is settled by the second function.
-- A row with a write of the new side that waits is left alone: the old row does not say yet what it said, and the new side
-- goes on reading what it wrote. It is looked at again once that is settled.
-- enable_seqscan is off because a session that keeps its plan may have made it while the tables were small: then it must not
-- be one that reads all of them for every row when they are not.
CREATE OR REPLACE FUNCTION changeover.:fn:_apply("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_stored :key_type:[];
    v_rest text[];
BEGIN
    v_rest := ARRAY(:waiting: UNION SELECT unnest(changeover.noted(ARRAY[:id:], "#keys")));
    IF v_rest <> '{}' THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause, not_before)
        SELECT :id:, 'forward', w.key, 'waits', clock_timestamp() + interval '100 ms' FROM unnest(v_rest) AS w (key);
        "#keys" := ARRAY(SELECT k.key FROM unnest("#keys") AS k (key) EXCEPT SELECT w.key FROM unnest(v_rest) AS w (key));
        IF "#keys" = '{}' THEN
            RETURN;
        END IF;
    END IF;
    PERFORM set_config('changeover.origin', :forward:, true);
    WITH stored AS (
        INSERT INTO :target: AS g (:columns:)
        SELECT :derived_columns:
        FROM (
:by_keys:
        ) d
        WHERE d."#reason" IS NULL AND NOT d."#unresolved"
        ON CONFLICT :conflict: DO UPDATE SET :update_set:
        WHERE :own: AND NOT :is_ahead: AND :worth_it:
        RETURNING g.:target_key: AS id
    )
    SELECT array_agg(s.id) INTO v_stored FROM stored s;
    -- Of two writers who bring the same key into a table without a unique one, the second waited above, for the
    -- target row, and sees the first one's row only now.
    IF coalesce(cardinality(v_stored), 0) < cardinality("#keys")
        OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = ANY ("#keys"))
        OR EXISTS (:of_several:)
    THEN
        -- IN, because that is hashed whatever the planner thinks of the arrays' length.
        v_rest := ARRAY(
            SELECT k.key
            FROM (SELECT k.key, :target_of_key: AS id FROM unnest("#keys") AS k (key) OFFSET 0) k
            WHERE (k.id IN (SELECT s.id FROM unnest(v_stored) AS s (id))) IS NOT TRUE
               OR k.key IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = :id: AND r.key = ANY ("#keys"))
               OR k.key IN (:of_several:)
        );
        PERFORM changeover.apply_slow(:id:, v_rest);
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
