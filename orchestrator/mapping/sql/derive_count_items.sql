-- Items that count, derived rows, rejects, in one snapshot: items = derived rows + rejects. A source row that is rejected whole, since one of
-- its items could not be stored, counts as one. Where a row cannot be derived at all, the rows are looked at one by one.
CREATE OR REPLACE FUNCTION changeover.:fn:_count()
RETURNS TABLE (legacy bigint, migrated bigint, rejected bigint, exempt bigint)
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_row record;
    v_counted bigint[];
    v_sum bigint[];
    v_whole bigint;
BEGIN
    BEGIN
        SELECT ARRAY[count(*), count(m.key), count(*) FILTER (WHERE :is_exempt:)] INTO v_sum FROM (
:by_all:
        ) d
        LEFT JOIN changeover.key_map m ON :paired: AND d."#reason" IS NULL
        LEFT JOIN :target: g ON :of_pair:
        WHERE :counts:;
    EXCEPTION WHEN OTHERS THEN
        IF changeover.passes_on(SQLSTATE) THEN
            RAISE;
        END IF;
        v_sum := ARRAY[0, 0, 0];
        FOR v_row IN SELECT k.place FROM changeover.source_rows(:id:, NULL, NULL, NULL, NULL, NULL) k LOOP
            BEGIN
                SELECT ARRAY[count(*), count(m.key), count(*) FILTER (WHERE :is_exempt:)] INTO v_counted FROM (
:by_place:
                ) d
                LEFT JOIN changeover.key_map m ON :paired: AND d."#reason" IS NULL
                LEFT JOIN :target: g ON :of_pair:
                WHERE :counts:;
                v_sum := ARRAY(SELECT a.n + b.n FROM unnest(v_sum) WITH ORDINALITY AS a (n, nth) JOIN unnest(v_counted) WITH ORDINALITY AS b (n, nth)
                               USING (nth) ORDER BY nth);
            EXCEPTION WHEN data_exception OR program_limit_exceeded OR feature_not_supported THEN
                NULL;
            END;
        END LOOP;
    END;
    SELECT count(*) FILTER (WHERE NOT r."row" ? :an_item:), count(*) INTO v_whole, rejected
    FROM changeover.reject r WHERE r.source_id = :id: AND r.id > 0;
    RETURN QUERY SELECT v_sum[1] + v_whole, v_sum[2], rejected, v_sum[3];
END
$changeover$
