-- The reverse mirror: each row that the new side writes goes to the source it belongs to. Row by row and
-- only for the new side (the trigger's WHEN), so that a batch pays nothing for it. It never raises.
CREATE OR REPLACE FUNCTION changeover.:fn:_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
DECLARE
    v_source integer;
    v_former integer;
    v_key text;
    v_former_key text;
    v_alive boolean;
    v_state text;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        :source_of_new:
        SELECT :alive_t: INTO v_alive FROM (SELECT (NEW).*) t;
        IF v_alive IS NOT TRUE THEN
            v_source := NULL;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        :source_of_old:
        SELECT :alive_t: INTO v_alive FROM (SELECT (OLD).*) t;
        IF v_alive IS NOT TRUE THEN
            v_former := NULL;
        END IF;
    END IF;
    BEGIN
        IF v_former IS NOT NULL THEN
            EXECUTE format('SELECT changeover.m%s_key($1)', v_former) INTO v_former_key USING OLD;
        END IF;
        IF v_source IS NOT NULL THEN
            EXECUTE format('SELECT changeover.m%s_key($1)', v_source) INTO v_key USING NEW;
        END IF;
        IF v_former IS NOT NULL AND (v_source IS DISTINCT FROM v_former OR v_key IS DISTINCT FROM v_former_key) THEN
            EXECUTE format('SELECT changeover.m%s_erase($1)', v_former) USING v_former_key;
            v_former := NULL;
        END IF;
        IF v_source IS NOT NULL AND v_former IS NULL THEN
            EXECUTE format('SELECT changeover.m%s_put(NULL, $1, true)', v_source) USING NEW;
        ELSIF v_source IS NOT NULL THEN
            EXECUTE format('SELECT changeover.m%s_put($1, $2, false)', v_source) USING OLD, NEW;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
        INSERT INTO changeover.recheck (source_id, direction, key, cause)
        SELECT c.source_id, 'reverse', c.key, v_state
        FROM (VALUES (v_source, v_key), (v_former, v_former_key)) AS c (source_id, key)
        WHERE c.source_id IS NOT NULL AND c.key IS NOT NULL;
    END;
    RETURN NULL;
END
$changeover$
