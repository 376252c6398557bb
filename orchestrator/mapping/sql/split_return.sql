-- Sweep one reverse key: every column of the source row that the target has a number for, or should.
CREATE OR REPLACE FUNCTION changeover.:fn:_return(p_key text)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
DECLARE
    v_row record;
BEGIN
    FOR v_row IN
        SELECT i.item, coalesce((SELECT :value: FROM :target: t WHERE t.:parent_column: = :target_of_key: AND t.:item: = i.item), 0) AS value
        FROM unnest(:items:) AS i (item), (SELECT p_key AS key) k
        WHERE EXISTS (SELECT FROM :target: t WHERE t.:parent_column: = :target_of_key: AND t.:item: = i.item)
           OR EXISTS (SELECT FROM (
:by_key:
           ) d WHERE d.reason IS NULL AND d.:item: = i.item)
    LOOP
        PERFORM changeover.:fn:_put(p_key, v_row.item, v_row.value);
    END LOOP;
END
$changeover$
