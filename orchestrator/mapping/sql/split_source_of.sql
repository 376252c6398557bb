-- Which source row a parent stands for: the source of this mapping, and the key in its table.
CREATE OR REPLACE FUNCTION changeover.:fn:_source_of(p_parent :parent_type:)
RETURNS TABLE (source integer, key text)
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_source integer;
    v_origin integer;
    v_key text;
BEGIN
    :find_source:
    IF v_source IS NOT NULL THEN
        :find_key:
        RETURN QUERY SELECT v_source, v_key;
    END IF;
END
$changeover$
