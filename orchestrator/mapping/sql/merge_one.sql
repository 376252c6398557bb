-- One natural key, whatever happens: derived and stored, or all its rows rejected with the name of the error.
-- Contention is not the rows' fault and is passed on. Returns the number of rows rejected by an error here.
CREATE OR REPLACE FUNCTION changeover.:fn:_one(p_key text)
RETURNS bigint
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_state text;
    v_message text;
    v_count bigint := 0;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    BEGIN
        PERFORM changeover.:fn:_sync(ARRAY[p_key]);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
        IF v_state IN ('40001', '40P01', '55P03', '57014') OR v_state LIKE '53%' OR v_state LIKE '42%' THEN
            RAISE;
        END IF;
        :remove:
        DELETE FROM changeover.reject r WHERE r.source_id IN (:ids:) AND r.key = p_key;
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT k.id, k.label, :stage:, k.key, changeover.condition_name(v_state), v_message, k."row"
        FROM (
            :rows_with_keys:
        ) k;
        GET DIAGNOSTICS v_count = ROW_COUNT;
    END;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN v_count;
END
$changeover$
