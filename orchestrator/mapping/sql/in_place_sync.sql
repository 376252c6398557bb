-- Make both sides of these rows agree, for whoever is not a writer of them: the drain, the repair, the replay. The rows
-- are locked before they are read. A row whose new columns wait to be told to the old ones is left alone until they are.
CREATE OR REPLACE FUNCTION changeover.:fn:_sync("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_changed bigint;
BEGIN
    "#keys" := ARRAY(
        SELECT DISTINCT k.key FROM unnest("#keys") AS k (key)
        WHERE NOT EXISTS (SELECT FROM changeover.queue c
                          WHERE c.source_id = :id: AND c.direction = 'reverse' AND c.key = k.key));
    PERFORM set_config('changeover.origin', :own:, true);
    PERFORM FROM :table: x WHERE :rows_of_keys: ORDER BY :key_columns: FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM (
:by_keys:
    ) d WHERE d."#unresolved") THEN
        :create:
    END IF;
    WITH changed AS (
        UPDATE :table: g SET :set:
        FROM (
:by_keys:
        ) d
        WHERE g.ctid = d."#ctid" AND d."#differs"
        RETURNING d."#key" AS key, d."#originals" AS originals
    )
    :recorded:;
    PERFORM changeover.:fn:_judge("#keys");
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
