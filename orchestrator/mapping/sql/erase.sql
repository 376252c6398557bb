-- Reverse mirror of a deletion. Where a key can have several rows, it is the first that stood in the target; the
-- next one takes its place there. With p_image (a deletion that waited) only the row that was meant is deleted.
CREATE OR REPLACE FUNCTION changeover.:fn:_erase(p_key text, p_image jsonb)
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
    v_found boolean;
BEGIN
    PERFORM set_config('changeover.origin', :reverse:, true);
    PERFORM set_config('changeover.putting', ARRAY[p_key]::text, true);
    :choose:
    IF v_found THEN
        DELETE FROM :source: x USING (SELECT p_key AS key) k WHERE :row_of_key: AND :is_meant:;
    END IF;
    :afterwards:
    -- A batch that has not committed may have read this row, and bring it back into the target.
    INSERT INTO changeover.queue (source_id, direction, key, cause)
    SELECT z.id, 'forward', p_key, 'gone' FROM changeover.source z
    WHERE z.id = :id: AND z.state NOT IN ('copied', 'archived');
    PERFORM changeover.check_constraints(:source_oid:);
    PERFORM set_config('changeover.putting', v_putting, true);
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
