-- Make the target what the source says now for these keys. The mirror, the sweeper, the repair and the
-- replay all end here. The ordinary case is this one statement; whatever is not ordinary (a row that is
-- gone, rejected, made of a missing lookup, or ahead on the new side) is settled by the second function.
CREATE OR REPLACE FUNCTION changeover.:fn:_sync(keys text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET jit = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_count bigint;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    INSERT INTO :target: AS g (:columns:)
    SELECT :derived_columns:
    FROM (
:by_keys:
    ) d
    WHERE d.reason IS NULL AND NOT d."#unresolved"
    ON CONFLICT :conflict: DO UPDATE SET :update_set:
    WHERE :own: AND NOT :is_ahead:;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count < cardinality(keys)
        OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = ANY (keys))
    THEN
        PERFORM changeover.:fn:_settle(keys);
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
