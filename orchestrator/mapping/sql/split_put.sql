-- Reverse mirror of a split: one column of the source row gets the number of one target row.
CREATE OR REPLACE FUNCTION changeover.:fn:_put(p_key text, p_item text, p_value numeric)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', :reverse:, true);
    UPDATE :source: x SET :put_set:
    FROM (SELECT p_key AS key) k
    WHERE :row_of_key: AND p_item = ANY (:items:) AND CASE p_item :now_different: END;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
