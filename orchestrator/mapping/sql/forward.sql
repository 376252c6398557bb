-- What the mirror does with the keys of a statement, within its settings.
CREATE OR REPLACE FUNCTION changeover.:fn:_forward(p_op text, "#keys" text[], p_new_column boolean)
RETURNS boolean
LANGUAGE plpgsql
AS $changeover$
DECLARE
    v_done boolean;
BEGIN
    IF "#keys" = '{}' OR changeover.left_alone(:id:, :reverse:, "#keys") THEN
        RETURN true;
    END IF;
    PERFORM :apply:;
    IF changeover.deferrable(:written:) THEN
        v_done := changeover.check_constraints(:written:);
    END IF;
    v_done := changeover.brought_back(:id:, "#keys");
    RETURN changeover.looked_at_again(:id:, "#keys", p_new_column);
END
$changeover$
