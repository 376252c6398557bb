-- The way back, some pairs a call: the derived rows go, and no other row of the target. One that the application has
-- changed since is kept in archive.derived_rows, whole, before it goes. The mirror is off by then.
CREATE OR REPLACE FUNCTION changeover.:fn:_take_back(p_pairs integer)
RETURNS TABLE (taken bigint, kept bigint)
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_source integer;
    v_keys text[];
    v_kept bigint := 0;
    v_taken bigint;
BEGIN
    SELECT m.source_id INTO v_source FROM changeover.key_map m WHERE m.source_id IN (:ids:) LIMIT 1;
    v_keys := ARRAY(SELECT m.key FROM changeover.key_map m WHERE m.source_id = v_source LIMIT p_pairs);
    -- Locked first: what the application commits before is seen by the statements after, and nothing comes in between.
    PERFORM FROM changeover.key_map m JOIN :target: g ON :of_pair:
    WHERE m.source_id = v_source AND m.key = ANY (v_keys)
    FOR UPDATE OF g;
    IF EXISTS (SELECT FROM changeover.key_map m JOIN :target: g ON :of_pair:
               WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND :digest: IS DISTINCT FROM m.made)
    THEN
        IF pg_catalog.to_regnamespace('archive') IS NULL THEN
            CREATE SCHEMA archive;
            COMMENT ON SCHEMA archive IS 'Made by Changeover';
        END IF;
        IF pg_catalog.to_regclass('archive.derived_rows') IS NULL THEN
            CREATE TABLE archive.derived_rows (
                taken_at timestamptz NOT NULL DEFAULT clock_timestamp(), mapping text NOT NULL, target text NOT NULL,
                source_key text NOT NULL, "row" jsonb NOT NULL
            );
            COMMENT ON TABLE archive.derived_rows IS 'Rows that Changeover derived, the application changed, and a rollback took out';
            PERFORM changeover.keep_private('archive.derived_rows'::pg_catalog.regclass, true);
        END IF;
        INSERT INTO archive.derived_rows (mapping, target, source_key, "row")
        SELECT :mapping:, :label:, m.key, to_jsonb(g.*)
        FROM changeover.key_map m JOIN :target: g ON :of_pair:
        WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND :digest: IS DISTINCT FROM m.made;
        GET DIAGNOSTICS v_kept = ROW_COUNT;
    END IF;
    DELETE FROM :target: g USING changeover.key_map m
    WHERE m.source_id = v_source AND m.key = ANY (v_keys) AND :of_pair:;
    DELETE FROM changeover.key_map m WHERE m.source_id = v_source AND m.key = ANY (v_keys);
    GET DIAGNOSTICS v_taken = ROW_COUNT;
    RETURN QUERY SELECT v_taken, v_kept;
END
$changeover$
