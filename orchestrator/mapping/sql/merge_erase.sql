-- Reverse mirror of a deletion: the first row of the key goes; those that lost to it stay.
CREATE OR REPLACE FUNCTION changeover.:fn:_erase(p_key text)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', :reverse:, true);
    PERFORM FROM (SELECT ARRAY[p_key] AS keys) k, :source: x WHERE :locked:
    FOR NO KEY UPDATE OF x;
    DELETE FROM :source: x
    WHERE x.ctid = (SELECT s."#ctid" FROM (:rows:) s
                    WHERE :key_expression: = p_key AND (:valid:) ORDER BY :order: LIMIT 1);
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
