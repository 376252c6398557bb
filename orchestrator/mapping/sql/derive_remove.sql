-- Take out the derived rows of these keys, or all of them where they are NULL; "#ids", where given, are those of them that are meant. A row that
-- the application has changed is its own: it stays, and so does its pair, by which the way back knows it. A pair whose row the application
-- has deleted goes.
CREATE OR REPLACE FUNCTION changeover.:fn:_remove("#keys" text[], "#ids" text[] DEFAULT NULL)
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
        WHERE m.source_id = :id: AND m.key = ANY ("#keys") AND ("#ids" IS NULL OR m.target_key = ANY ("#ids"))
          AND :of_pair: AND :digest: = m.made
        RETURNING m.target_key
    )
    SELECT array_agg(r.target_key) INTO v_removed FROM removed r;
    DELETE FROM changeover.key_map m
    WHERE m.source_id = :id: AND m.key = ANY ("#keys") AND ("#ids" IS NULL OR m.target_key = ANY ("#ids"))
      AND (m.target_key = ANY (v_removed) OR NOT EXISTS (SELECT FROM :target: g WHERE :of_pair:));
END
$changeover$
