-- Before a write of the new side: the originals of each source stays true (see carry.sql for the rules).
-- A row is born with the sources that the plan's `when` gives it; a later change can add or end one.
CREATE OR REPLACE FUNCTION changeover.:fn:_carry("#old" :target:, "#new" :target:, p_insert boolean)
RETURNS :target:
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_document jsonb := '{}';
    v_part jsonb;
    v_had boolean;
    v_has boolean;
    v_said :target:;
    a record;
    b record;
    v_ahead jsonb;
    v_exempt text[];
    v_reason text;
BEGIN
    IF NOT p_insert AND coalesce("#old".:originals:, '{}') = '{}' THEN
        "#new".:originals: := '{}';
        RETURN "#new";
    END IF;
    :parts:
    "#new".:originals: := v_document;
    SELECT :ahead_texts:, d."#reason", :derived_exempt:
    INTO v_ahead, v_reason, v_exempt
    FROM (
:by_value:
    ) d;
    IF v_reason IS NULL AND v_ahead IS NOT NULL AND v_ahead <> '{}' THEN
        "#new".:originals: := v_document || jsonb_build_object('~', v_ahead);
    END IF;
    :store_exempt:
    RETURN "#new";
END
$changeover$
