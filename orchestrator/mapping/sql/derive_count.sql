-- Source rows that count, derived rows, rejects, in one snapshot. What the plan leaves out does not count. A row that
-- cannot be derived at all is a reject and does count: then the rows are looked at one by one.
CREATE OR REPLACE FUNCTION changeover.:fn:_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_out bigint;
    v_row record;
    v_is_out boolean;
BEGIN
    BEGIN
        SELECT count(*) INTO v_out FROM (
:by_all:
        ) d
        WHERE d."#reason" = :left_out:
          AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = :id: AND m.key = d."#key" OFFSET 0);
    EXCEPTION WHEN OTHERS THEN
        IF changeover.passes_on(SQLSTATE) THEN
            RAISE;
        END IF;
        v_out := 0;
        FOR v_row IN SELECT k.place, k.key FROM changeover.source_rows(:id:, NULL, NULL, NULL, NULL, false) k LOOP
            BEGIN
                SELECT d."#reason" = :left_out: INTO v_is_out FROM (
:by_place:
                ) d;
                IF v_is_out AND NOT EXISTS (SELECT FROM changeover.key_map m WHERE m.source_id = :id: AND m.key = v_row.key) THEN
                    v_out := v_out + 1;
                END IF;
            EXCEPTION WHEN data_exception OR program_limit_exceeded OR feature_not_supported THEN
                NULL;
            END;
        END LOOP;
    END;
    RETURN QUERY
    SELECT
        (SELECT count(*) FROM :source:) - v_out,
        p.migrated,
        (SELECT count(*) FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0),
        p.exempt
    FROM (
        SELECT count(*) AS migrated, count(*) FILTER (WHERE :is_exempt:) AS exempt
        FROM changeover.key_map m LEFT JOIN :target: g ON :of_pair:
        WHERE m.source_id = :id:
          AND EXISTS (SELECT FROM (:keys_of_rows:) k WHERE k.key = m.key)
          AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = m.key)
    ) p;
END
$changeover$
