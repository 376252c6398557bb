-- Takes back what was filled, the oldest record first: one record, with the columns that no later record of the row speaks
-- of and that still have what they were filled with. Nothing is filled any more, and what the application writes is recorded still.
-- Returns whether there was one.
CREATE OR REPLACE FUNCTION changeover.:fn:_unfill()
RETURNS boolean
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_one changeover.filled;
    v_each jsonb;
    v_same jsonb;
BEGIN
    SELECT f.* INTO v_one FROM changeover.filled f WHERE f.source_id = :id: ORDER BY f.id LIMIT 1;
    IF v_one.id IS NULL THEN
        RETURN false;
    END IF;
    IF jsonb_typeof(v_one.originals) = 'array' THEN
        v_each := v_one.originals;
    ELSE
        v_same := v_one.originals;
    END IF;
    PERFORM set_config('changeover.origin', :own:, true);
    UPDATE :table: g SET :set:
    FROM (
        SELECT k.key, coalesce(k.originals, v_same) - ARRAY(
                SELECT jsonb_object_keys(l.originals) FROM changeover.filled l
                WHERE l.key = k.key AND l.source_id = :id: AND l.id > v_one.id) AS originals
        FROM ROWS FROM (unnest(coalesce(v_one.keys, ARRAY[v_one.key])), jsonb_array_elements(v_each)) AS k (key, originals)
    ) e
    WHERE :row_of_key: AND (:put_back:);
    DELETE FROM changeover.filled f WHERE f.id = v_one.id;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN true;
END
$changeover$
