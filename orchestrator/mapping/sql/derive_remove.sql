-- Take out the derived rows of these keys, or all of them where they are NULL. A row that the application has changed is its own: it stays, and so does its
-- pair, by which the way back knows it. A pair whose row the application has deleted goes.
CREATE OR REPLACE FUNCTION changeover.:fn:_remove("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_removed text[];
BEGIN
    IF "#keys" IS NULL THEN
        "#keys" := ARRAY(SELECT m.key FROM changeover.key_map m WHERE m.source_id = :id:);
    END IF;
    WITH removed AS (
        DELETE FROM :target: g USING changeover.key_map m
        WHERE m.source_id = :id: AND m.key = ANY ("#keys") AND :of_pair: AND :digest: = m.made
        RETURNING m.key
    )
    SELECT array_agg(r.key) INTO v_removed FROM removed r;
    DELETE FROM changeover.key_map m
    WHERE m.source_id = :id: AND m.key = ANY ("#keys")
      AND (m.key = ANY (v_removed)
           OR NOT EXISTS (SELECT FROM :target: g WHERE g.:target_key: = CAST(m.target_key AS :key_type:)));
END
$changeover$
