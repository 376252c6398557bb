-- The reverse mirror of a split: the number goes back into the column it stands for. It never raises.
CREATE OR REPLACE FUNCTION changeover.:fn:_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
DECLARE
    v_source integer;
    v_key text;
    v_value numeric;
    v_state text;
BEGIN
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            IF TG_OP = 'DELETE' OR (OLD.:parent_column:, OLD.:item:) IS DISTINCT FROM (NEW.:parent_column:, NEW.:item:) THEN
                SELECT f.source, f.key INTO v_source, v_key FROM changeover.:fn:_source_of(OLD.:parent_column:) f;
                IF v_source IS NOT NULL THEN
                    EXECUTE format('SELECT changeover.m%s_put($1, $2, 0)', v_source) USING v_key, OLD.:item:;
                END IF;
            END IF;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            SELECT f.source, f.key INTO v_source, v_key FROM changeover.:fn:_source_of(NEW.:parent_column:) f;
            IF v_source IS NOT NULL THEN
                SELECT :value: INTO v_value FROM (SELECT (NEW).*) t;
                EXECUTE format('SELECT changeover.m%s_put($1, $2, $3)', v_source) USING v_key, NEW.:item:, v_value;
            END IF;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
        IF v_source IS NOT NULL THEN
            INSERT INTO changeover.recheck (source_id, direction, key, cause) VALUES (v_source, 'reverse', v_key, v_state);
        END IF;
    END;
    RETURN NULL;
END
$changeover$
