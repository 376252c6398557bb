-- Columns that count in the source, rows of the target that came from them, in one snapshot. Of several
-- rows with one key only the first counts, so that its rows in the target count once. A row that stands among the
-- rejects does not count, nor does one that cannot be derived at all: then the rows are counted one by one.
CREATE OR REPLACE FUNCTION changeover.:fn:_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
DECLARE
    v_legacy bigint;
    v_row record;
BEGIN
    BEGIN
        SELECT count(*) INTO v_legacy
        FROM (
:by_all:
        ) d
        WHERE d."#reason" IS NULL
          AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = d."#key");
    EXCEPTION WHEN OTHERS THEN
        IF changeover.passes_on(SQLSTATE) THEN
            RAISE;
        END IF;
        v_legacy := NULL;
    END;
    IF v_legacy IS NULL THEN
        v_legacy := 0;
        FOR v_row IN SELECT k.place FROM changeover.:fn:_rows(NULL, NULL, NULL, NULL, NULL) k LOOP
            BEGIN
                v_legacy := v_legacy + (
                    SELECT count(*)
                    FROM (
:by_place:
                    ) d
                    WHERE d."#reason" IS NULL
                      AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = d."#key"));
            EXCEPTION WHEN OTHERS THEN
                IF changeover.passes_on(SQLSTATE) THEN
                    RAISE;
                END IF;
            END;
        END LOOP;
    END IF;
    RETURN QUERY
    SELECT v_legacy,
        (SELECT count(*) FROM (SELECT DISTINCT r.key FROM (:keys_of_rows:) r) k JOIN :target: g ON g.:parent_column: = :target_of_key:
            AND g.:item: = ANY (:items:) AND :own:
            WHERE NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = k.key)),
        0::bigint,
        0::bigint;
END
$changeover$
