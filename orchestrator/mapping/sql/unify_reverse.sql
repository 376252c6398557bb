-- The reverse mirror: each row that the new side writes goes to the source it belongs to. Row by row and
-- only for the new side (the trigger's WHEN), so that a batch pays nothing for it. It never raises, and it gives
-- way in a circle of waits (docs/concurrency.md, C1, C3, C5, C17); what could not be written waits in queue as a patch. So does everything that a
-- writer in SERIALIZABLE writes: it is not drawn into conflicts over rows it never asked for.
-- A row whose originals could not be kept true before the write waits as well, with what it was.
-- A table that has moved at this moment (to the archive or back) is looked for again: its functions have moved with it.
CREATE OR REPLACE FUNCTION changeover.:fn:_reverse()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_source integer;
    v_former integer;
    v_erased integer;
    v_key text;
    v_former_key text;
    v_alive boolean;
    v_again boolean;
    v_keyless integer;
    v_patch jsonb;
    v_state text;
    v_hindered boolean := false;
BEGIN
    IF TG_OP <> 'DELETE' AND current_setting('changeover.hindered', true) <> '' THEN
        v_hindered := CAST(NEW.:target_key: AS text) = ANY (current_setting('changeover.hindered')::text[]);
        PERFORM set_config('changeover.hindered', coalesce(nullif(array_remove(
            current_setting('changeover.hindered')::text[], CAST(NEW.:target_key: AS text))::text, '{}'), ''), true);
    END IF;
    FOR v_attempt IN 1 .. 3 LOOP
        v_source := NULL;
        v_former := NULL;
        v_former_key := NULL;
        v_erased := NULL;
        v_keyless := NULL;
        v_state := 'serializable';
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
            IF v_former IS NOT NULL THEN
                EXECUTE format('SELECT changeover.m%s_key($1)', v_former) INTO v_former_key USING OLD;
                IF v_former_key IS NULL THEN
                    -- Nothing of it stands there, as far as this snapshot can see.
                    v_keyless := v_former;
                    v_former := NULL;
                END IF;
            END IF;
            -- Of another source's row the originals tells nothing, if it could not be kept true.
            IF v_source IS NOT NULL AND NOT (v_hindered AND v_source IS DISTINCT FROM v_former) THEN
                EXECUTE format('SELECT changeover.m%s_key($1)', v_source) INTO v_key USING NEW;
            END IF;
            IF v_former IS NOT NULL AND (v_source IS DISTINCT FROM v_former OR v_key IS DISTINCT FROM v_former_key) THEN
                v_erased := v_former;
                v_former := NULL;
            END IF;
            IF v_hindered THEN
                v_state := 'hindered';
            ELSIF current_setting('transaction_isolation') <> 'serializable' THEN
                IF v_erased IS NOT NULL THEN
                    EXECUTE format('SELECT changeover.m%s_erase($1, NULL)', v_erased) USING v_former_key;
                    :release_erased:
                END IF;
                IF v_source IS NOT NULL AND v_former IS NULL THEN
                    EXECUTE format('SELECT changeover.m%s_put(NULL, $1, true)', v_source) INTO v_again USING NEW;
                ELSIF v_source IS NOT NULL THEN
                    EXECUTE format('SELECT changeover.m%s_put($1, $2, false)', v_source) INTO v_again USING OLD, NEW;
                END IF;
                IF v_again THEN
                    EXECUTE format('SELECT changeover.apply(%1$s, ARRAY[changeover.m%1$s_key($1)])', v_source) USING NEW;
                    -- What it wrote may be in the way of a row that waits: the application's COMMIT is not to tell (C12).
                    PERFORM changeover.check_constraints(ARRAY[TG_RELID]);
                END IF;
                v_state := NULL;
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
    IF v_keyless IS NOT NULL AND (v_source IS DISTINCT FROM v_keyless OR v_state IS NULL) THEN
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        SELECT v_keyless, 'reverse', w.id, 'keyless', jsonb_build_object('whole', w.id)
        FROM (SELECT CAST(OLD.:target_key: AS text) AS id) w;
    END IF;
    IF v_state IS NULL THEN
        v_waits := set_config('lock_timeout', v_waits, true);
        RETURN NULL;
    END IF;
    IF v_erased IS NOT NULL THEN
        v_patch := '{"erase": null}';
        IF v_erased = ANY (:several:) THEN
            -- Of several rows with one key only this one is meant, whichever comes first when it is drained.
            BEGIN
                EXECUTE format('SELECT jsonb_build_object(''erase'', changeover.m%s_image($1))', v_erased) INTO v_patch USING OLD;
            EXCEPTION WHEN OTHERS THEN
                RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
            END;
        END IF;
        INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
        VALUES (v_erased, 'reverse', v_former_key, v_state, v_patch);
    END IF;
    IF v_source IS NOT NULL THEN
        BEGIN
            IF v_former IS NULL OR v_key IS NULL THEN
                v_patch := jsonb_build_object('whole', CAST(NEW.:target_key: AS text));
                IF v_keyless = v_source THEN
                    v_patch := v_patch || jsonb_build_object('set', changeover.patch_of(v_source, OLD, NEW));
                END IF;
            ELSE
                v_patch := jsonb_build_object('set', changeover.patch_of(v_source, OLD, NEW));
            END IF;
            IF v_hindered THEN
                v_patch := v_patch || jsonb_build_object(
                    'carry', CASE WHEN v_former IS NOT NULL OR v_keyless = v_source THEN to_jsonb(OLD) END,
                    'id', CAST(NEW.:target_key: AS text));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            v_patch := NULL;
        END;
        IF v_patch IS DISTINCT FROM '{"set": {}}' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            VALUES (v_source, 'reverse', coalesce(v_key, CAST(NEW.:target_key: AS text)), v_state, v_patch);
        END IF;
    END IF;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
