-- The reverse mirror of a split: the value goes back into the column it stands for. It never raises, and it gives
-- way in a circle of waits (docs/concurrency.md, C1, C3, C5, C17); what could not be written waits in queue as a patch, as does what a writer in
-- SERIALIZABLE writes. What the application wrote stands meanwhile: where one statement writes the parent as well, the
-- parent's mirror has come first, and has made this row what the old columns say.
-- A table that has moved at this moment (to the archive or back) is looked for again: its functions have moved with it.
CREATE OR REPLACE FUNCTION changeover.:fn:_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
DECLARE
    v_waits text := changeover.wait_less();
    v_source integer;
    v_former integer;
    v_key text;
    v_former_key text;
    v_before :kind: := :absent:;
    v_value :kind: := :absent:;
    v_state text;
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    FOR v_attempt IN 1 .. 3 LOOP
        v_state := 'serializable';
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                SELECT f.source, f.key INTO v_former, v_former_key FROM changeover.:fn:_source_of(OLD.:parent_column:) f;
                SELECT :value: INTO v_before FROM (SELECT (OLD).*) t;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                SELECT f.source, f.key INTO v_source, v_key FROM changeover.:fn:_source_of(NEW.:parent_column:) f;
                SELECT :value: INTO v_value FROM (SELECT (NEW).*) t;
            END IF;
            IF current_setting('transaction_isolation') <> 'serializable' THEN
                IF v_former IS NOT NULL
                    AND (TG_OP = 'DELETE' OR (OLD.:parent_column:, OLD.:item:) IS DISTINCT FROM (NEW.:parent_column:, NEW.:item:))
                THEN
                    EXECUTE format('SELECT changeover.m%s_put($1, $2, false, NULL, $3)', v_former)
                        USING v_former_key, OLD.:item:, CAST(:absent: AS :kind:);
                END IF;
                IF v_source IS NOT NULL THEN
                    EXECUTE format('SELECT changeover.m%s_put($1, $2, false, NULL, $3)', v_source) USING v_key, NEW.:item:, v_value;
                END IF;
                v_waits := set_config('lock_timeout', v_waits, true);
                RETURN NULL;
            END IF;
            EXIT;
        EXCEPTION
            WHEN undefined_table OR undefined_column THEN
                GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE;
                EXIT;
        END;
    END LOOP;
    -- Under its key, or under the parent's id while that has none.
    IF TG_OP = 'UPDATE' AND v_source = v_former AND (OLD.:parent_column:, OLD.:item:) = (NEW.:parent_column:, NEW.:item:) THEN
        v_former := NULL;
    ELSE
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT v_former, 'reverse', coalesce(v_former_key, w.id), v_state,
               jsonb_build_object('parent', w.id, 'set', jsonb_build_object(OLD.:item:, jsonb_build_array(v_before, :absent:)))
        FROM (SELECT CAST(OLD.:parent_column: AS text) AS id) w
        WHERE v_former IS NOT NULL;
        v_before := :absent:;
    END IF;
    INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
    SELECT v_source, 'reverse', coalesce(v_key, w.id), v_state,
           jsonb_build_object('parent', w.id, 'set', jsonb_build_object(NEW.:item:, jsonb_build_array(v_before, v_value)))
    FROM (SELECT CAST(NEW.:parent_column: AS text) AS id) w
    WHERE v_source IS NOT NULL;
    PERFORM set_config('changeover.origin', :forward:, true);
    BEGIN
        IF TG_OP = 'DELETE' THEN
            DELETE FROM :target: g WHERE g.:parent_column: = OLD.:parent_column: AND g.:item: = OLD.:item:;
        ELSE
            INSERT INTO :target: AS g (:stored:) OVERRIDING SYSTEM VALUE SELECT :stored_new:
            ON CONFLICT :conflict: DO UPDATE SET :stored_set:
            WHERE g.* OPERATOR(pg_catalog.*<>) NEW;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;  -- the drain makes up for it
    END;
    PERFORM set_config('changeover.origin', v_origin, true);
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
