-- What the mirror does with the keys of a statement, within its settings: the ordinary case in a few short statements, whose
-- plans are kept. A row that was rejected and is mended or deleted is one of them (C13). All else (a row that is rejected, made
-- of a missing lookup, ahead on the new side, another source's, or with something that waits) is left to _apply.
CREATE OR REPLACE FUNCTION changeover.:fn:_forward(p_op text, "#keys" text[], p_new_column boolean)
RETURNS boolean
LANGUAGE plpgsql
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_isolation text := current_setting('transaction_isolation');
    v_circumstances integer;
    v_set text;
    v_stored integer := -1;
    v_gone text[] := '{}';
    v_done boolean;
BEGIN
    IF "#keys" = '{}' THEN
        RETURN true;
    ELSIF v_origin = :reverse: OR v_isolation = 'serializable' THEN
        RETURN changeover.left_alone(:id:, :reverse:, "#keys");
    ELSIF p_op = 'DELETE' AND v_isolation = 'read committed' THEN
        -- Whoever writes a target row of these keys is waited for first, and only then it is asked whether the source has
        -- such a row again (C7). A batch that has not committed may bring the row back: then it is looked at again.
        PERFORM FROM :target: g, unnest("#keys") AS k (key) WHERE :target_of_key: AND :own: AND :alive: FOR UPDATE OF g;
        v_circumstances := changeover.circumstances(:id:, "#keys", :made:, :written:);
        IF v_circumstances % 2 = 0 AND NOT EXISTS (SELECT FROM :source: x WHERE :rows_of_keys:) THEN
            v_done := changeover.leave_while_copying(:id:, "#keys", 'gone');
            v_gone := "#keys";
            v_stored := 0;
        END IF;
    ELSE
        v_circumstances := changeover.circumstances(:id:, "#keys", :made:, :written:);
        IF v_circumstances % 2 = 0 AND p_op <> 'DELETE' THEN
            v_set := set_config('changeover.origin', :forward:, true);
            INSERT INTO :target: AS g (:columns:)
            SELECT :derived_columns:
            FROM (
:by_keys:
            ) d
            WHERE d."#reason" IS NULL AND NOT d."#unresolved"
            ON CONFLICT :conflict: DO UPDATE SET :update_set:
            WHERE :own: AND NOT :is_ahead:;
            GET DIAGNOSTICS v_stored = ROW_COUNT;
            v_set := set_config('changeover.origin', v_origin, true);
        END IF;
    END IF;
    IF v_stored + cardinality(v_gone) < cardinality("#keys") THEN
        PERFORM changeover.apply(:id:, "#keys");
    ELSE
        IF v_gone <> '{}' THEN
            v_set := set_config('changeover.origin', :forward:, true);
            DELETE FROM :target: g USING unnest(v_gone) AS k (key) WHERE :target_of_key: AND :own: AND :alive:;
            v_set := set_config('changeover.origin', v_origin, true);
            :release_gone:
        END IF;
        IF v_circumstances >= 4 THEN
            v_done := changeover.unreject(:id:, "#keys");
        END IF;
    END IF;
    IF v_circumstances & 2 > 0 THEN
        v_done := changeover.check_constraints(:written:);
    END IF;
    IF p_new_column OR v_isolation <> 'read committed' THEN
        v_done := changeover.looked_at_again(:id:, "#keys", p_new_column);
    END IF;
    RETURN true;
END
$changeover$
