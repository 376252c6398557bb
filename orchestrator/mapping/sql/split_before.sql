-- The new application writes the parent with its documents and these rows as well, in one transaction; the
-- mirror has made the rows from the parent already. The application's own row takes the place of ours.
CREATE OR REPLACE FUNCTION changeover.:fn:_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    IF TG_OP = 'INSERT' THEN
        DELETE FROM :target: g WHERE g.:parent_column: = NEW.:parent_column: AND g.:item: = NEW.:item:;
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RETURN NEW;
END
$changeover$
