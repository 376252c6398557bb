-- Apply a patch: compare and set, column by column. The caller has locked the rows of the key.
CREATE OR REPLACE FUNCTION changeover.:fn:_mend(p_key text, p_patch jsonb)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
    v_key text := p_key;
    v_row tid;
    v_written tid[] := '{}';
    v_taken jsonb;
    v_found boolean;
BEGIN
    PERFORM set_config('changeover.origin', :reverse:, true);
    PERFORM set_config('changeover.putting', ARRAY[p_key]::text, true);
    :choose:
    IF v_found THEN
        :take:
        UPDATE :source: x SET :mend_set: WHERE :row_of_key: RETURNING x.ctid INTO v_row;
        :others_too:
    END IF;
    PERFORM changeover.check_constraints(:source_oid:);
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
