-- Sweep one reverse key: the source row becomes what the target says, or goes if the target has none
-- (and nothing of the old side is waiting or rejected under that key).
CREATE OR REPLACE FUNCTION changeover.:fn:_return(p_key text)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_target :target:;
BEGIN
    SELECT g.* INTO v_target FROM :target: g, (SELECT p_key AS key) k
    WHERE :target_of_key: AND :own: AND :alive: FOR NO KEY UPDATE OF g;
    IF FOUND THEN
        PERFORM changeover.:fn:_put(NULL, v_target, true);
    ELSIF NOT EXISTS (SELECT FROM changeover.recheck c
                      WHERE c.source_id = :id: AND c.direction = 'forward' AND (c.key = p_key OR c.key IS NULL))
        AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = p_key)
    THEN
        PERFORM changeover.:fn:_erase(p_key);
    END IF;
END
$changeover$
