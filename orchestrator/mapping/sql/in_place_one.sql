-- One key, whatever happens: computed, or rejected with the name of the error. Contention is not the row's fault and is
-- passed on. Returns the number of rows rejected by an error here.
CREATE OR REPLACE FUNCTION changeover.:fn:_one(p_key text)
RETURNS bigint
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_state text;
    v_message text;
    v_count bigint := 0;
BEGIN
    BEGIN
        PERFORM changeover.:fn:_sync(ARRAY[p_key]);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
        IF v_state IN ('40001', '40P01', '55P03', '57014') OR v_state LIKE '53%' OR v_state LIKE '42%' THEN
            RAISE;
        END IF;
        DELETE FROM changeover.reject r WHERE r.source_id = :id: AND r.key = p_key;
        INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
        SELECT :id:, :label:, :stage:, k.key, changeover.condition_name(v_state), v_message, k."row"
        FROM (SELECT :key: AS key, to_jsonb(x.*) AS "row" FROM :table: x WHERE :rows_of_one:) k;
        GET DIAGNOSTICS v_count = ROW_COUNT;
    END;
    RETURN v_count;
END
$changeover$
