-- Reverse mirror of a deletion.
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
    DELETE FROM :source: x USING (SELECT p_key AS key) k WHERE :row_of_key:;
    :forget_born:
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
