-- Before a write of the new side: keep what makes its row reversible true.
-- 1. A originals entry whose way back gives something else now is dropped: the new side has changed it. So is a key
--    beside an id that changes: the row is found by the new id from now on.
-- 2. Values that cannot be computed back later (names, defaults, generated keys) are fixed now, and so is what stands in
--    for a required column of which the row says nothing, or nothing any more.
-- 3. Columns that the old schema cannot tell are noted under "~" with what it would say of them, so that
--    a later derivation leaves them alone and the comparison does not call them different.
CREATE OR REPLACE FUNCTION changeover.:fn:_carry("#old" :target:, "#new" :target:, p_insert boolean)
RETURNS :target:
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_originals jsonb := '{}';
    v_dropped text[];
    v_said :target:;
    a record;
    b record;
    v_ahead jsonb;
    v_exempt text[];
    v_reason text;
BEGIN
    IF p_insert THEN
        SELECT :kept_values: INTO v_originals FROM (SELECT ("#new").*) t;
    ELSE
        v_originals := coalesce(:originals_of_old:, '{}');
        IF v_originals <> '{}' THEN
            -- What the way back gives where nothing is kept: a of the old row, b of the new one, by one statement, whose plan is large.
            FOR v_nth IN 1 .. 2 LOOP
                v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
                :forget:
                SELECT r.* INTO b FROM changeover.:fn:_old_row(v_said) r;
                IF v_nth = 1 THEN
                    a := b;
                END IF;
            END LOOP;
            v_dropped := array_remove(ARRAY[:dropped:]::text[], NULL);
            v_originals := v_originals - v_dropped;
            :keep_dropped:
        END IF;
    END IF;
    :stand_ins:
    :store_originals:
    SELECT :ahead_texts:, d."#reason", :derived_exempt:
    INTO v_ahead, v_reason, v_exempt
    FROM (
:by_value:
    ) d;
    IF v_reason IS NULL AND v_ahead IS NOT NULL AND v_ahead <> '{}' THEN
        v_originals := v_originals || jsonb_build_object('~', v_ahead);
        :store_originals:
    END IF;
    :store_exempt:
    RETURN "#new";
END
$changeover$
