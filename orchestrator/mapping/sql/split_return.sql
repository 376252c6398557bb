-- Drain one reverse key: what waits as {"parent": id, "set": {item: [before, after]}}, compare and set; without that,
-- every column of the source row that the target has a value for, or should, unless the old side has news of it.
-- A parent that could not be written back itself yet is waited for; one that is gone has taken its rows with it.
CREATE OR REPLACE FUNCTION changeover.:fn:_return(p_key text, p_patch jsonb)
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_key text := p_key;
    v_row record;
BEGIN
    IF p_patch ? 'parent' THEN
        v_key := (SELECT f.key FROM changeover.:mapping_fn:_source_of(CAST(p_patch ->> 'parent' AS :parent_type:)) f WHERE f.source = :id:);
    END IF;
    PERFORM FROM :source: x WHERE :row_of_key: FOR NO KEY UPDATE;
    IF NOT FOUND AND p_patch IS NOT NULL THEN
        IF EXISTS (SELECT FROM changeover.queue c JOIN changeover.source z ON z.id = c.source_id
                   WHERE z.oid = :source_oid: AND c.direction = 'reverse' AND c.patch ? 'whole'
                     AND c.key IN (v_key, p_patch ->> 'parent')) THEN
            RAISE EXCEPTION 'the parent % waits itself', p_patch ->> 'parent' USING ERRCODE = 'no_data_found';
        END IF;
        DELETE FROM :target: g WHERE g.:parent_column: = CAST(p_patch ->> 'parent' AS :parent_type:) AND :orphan:;
    ELSIF p_patch IS NOT NULL THEN
        FOR v_row IN SELECT e.key, e.value FROM jsonb_each(p_patch -> 'set') e LOOP
            PERFORM changeover.:fn:_put(
                v_key, v_row.key, true, :before_waited:, :after_waited:
            );
        END LOOP;
        PERFORM changeover.:fn:_apply(ARRAY[v_key]);
    ELSIF NOT EXISTS (SELECT FROM changeover.queue c
                      WHERE c.source_id = :id: AND c.direction = 'forward' AND c.key = p_key)
        AND NOT EXISTS (SELECT FROM changeover.queue c
                        WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'forward' AND c.key IS NULL)
    THEN
        FOR v_row IN
            SELECT i.item, coalesce((SELECT :value: FROM :target: t
                                     WHERE t.:parent_column: = :target_of_key: AND t.:item: = i.item), :absent:) AS value
            FROM unnest(:items:) AS i (item), (SELECT p_key AS key) k
            WHERE EXISTS (SELECT FROM :target: t WHERE t.:parent_column: = :target_of_key: AND t.:item: = i.item)
               OR EXISTS (SELECT FROM (
:by_key:
               ) d WHERE d."#reason" IS NULL AND d.:item: = i.item)
        LOOP
            PERFORM changeover.:fn:_put(p_key, v_row.item, false, NULL, v_row.value);
        END LOOP;
    END IF;
END
$changeover$
