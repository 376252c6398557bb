-- TRUNCATE of the new table by an application. Which rows stood there nobody can say any more, and a snapshot of
-- REPEATABLE READ hides some of the old ones: so it only leaves a mark, and the drain erases each old row for which
-- nothing stands. While rows are still copied it cannot tell those that had come from those that have not: then the
-- old side speaks, and they come again.
CREATE OR REPLACE FUNCTION changeover.:fn:_emptied()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
BEGIN
    IF coalesce(current_setting('changeover.origin', true), '') = '' THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT z.id, CASE WHEN z.state IN ('copied', 'archived') THEN 'reverse' ELSE 'forward' END, NULL, 'emptied'
        FROM changeover.source z
        WHERE z.mapping_id = :mapping: AND z.state <> 'found';
    END IF;
    RETURN NULL;
END
$changeover$
