-- Make the target what its sources say now for these natural keys. The keys are derived once, and written one by one.
-- Two writers may touch two sources of one key at once, and neither sees the other's row. So the target rows are
-- locked before the sources are read: the second writer sees what the first has committed while it waited. A row
-- that is not there yet cannot be locked; if somebody else has made it when it is to be inserted, its key is
-- derived again, with the lock. A key that has no row in the end was not protected by anything, and a snapshot of
-- REPEATABLE READ may have hidden a row that changes nothing in the target but the order: both are looked at again.
-- What the new side has written and could not write back yet waits in queue; the sources do not know of it, so
-- such a row is left alone until it is settled: the new side goes on reading what it wrote. The source that asked for it
-- may have said something new, so the queue is that source's.
CREATE OR REPLACE FUNCTION changeover.:fn:_apply("#keys" text[], p_source integer DEFAULT :first_source:)
RETURNS void
LANGUAGE plpgsql
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_all text[];
    v_standing text[];
    v_ahead text[];
    v_waiting text[];
    v_missing text[];
    v_again text[];
    v_changed_ahead text[] := '{}';
    v_bad text[] := '{}';
    v_reasons text[] := '{}';
    v_unsure text[] := '{}';
    v_odd text[];
    v_row record;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    v_all := ARRAY(SELECT DISTINCT u.key FROM unnest("#keys") AS u (key) ORDER BY u.key);
    "#keys" := v_all;
    FOR v_pass IN 1..4 LOOP
        SELECT array_agg(g.key), array_agg(g.key) FILTER (WHERE g.ahead) INTO v_standing, v_ahead
        FROM (SELECT g.:target_key: AS key, :is_ahead: AS ahead FROM :target: g
              WHERE g.:target_key: = ANY ("#keys") ORDER BY g.:target_key: FOR NO KEY UPDATE) g;
        v_waiting := ARRAY(SELECT k.key FROM unnest("#keys") AS k (key) WHERE :waiting:
                           UNION SELECT unnest(changeover.noted(ARRAY[:ids:], "#keys")));
        IF v_waiting <> '{}' THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause, not_before)
            SELECT p_source, 'forward', k.key, 'waiting', clock_timestamp() + interval '100 ms'
            FROM unnest(v_waiting) AS k (key);
            "#keys" := ARRAY(SELECT k.key FROM unnest("#keys") AS k (key) EXCEPT SELECT k.key FROM unnest(v_waiting) AS k (key));
            v_all := ARRAY(SELECT k.key FROM unnest(v_all) AS k (key) EXCEPT SELECT k.key FROM unnest(v_waiting) AS k (key));
        END IF;

        v_missing := '{}';
        v_again := '{}';
        -- What is gone goes first: its ids and unique values are free for others then.
        FOR v_row IN
            SELECT d.*, d."#key" IN (SELECT s.key FROM unnest(v_standing) AS s (key)) AS "#standing",
                d."#key" IN (SELECT s.key FROM unnest(v_ahead) AS s (key)) AS "#ahead"
            FROM (
:by_keys:
            ) d
            ORDER BY d."#reason" IS NULL, d."#key"
        LOOP
            IF v_row."#reason" IS NOT NULL THEN
                v_bad := v_bad || v_row."#key";
                v_reasons := v_reasons || v_row."#reason";
                IF v_row."#standing" THEN
                    :remove:
                ELSE
                    v_unsure := v_unsure || v_row."#key";
                END IF;
            ELSIF v_row."#unresolved" AND v_pass < 3 THEN
                v_missing := v_missing || v_row."#key";
            ELSIF v_row."#ahead" THEN
                v_changed_ahead := v_changed_ahead || v_row."#key";
            ELSE
                :release:
                IF v_row."#standing" THEN
                    UPDATE :target: g SET :update_set: WHERE g.:target_key: = v_row."#key" AND :changed:;
                ELSE
                    INSERT INTO :target: (:columns:) VALUES (:derived_columns:) ON CONFLICT :conflict: DO NOTHING;
                    IF NOT FOUND THEN
                        v_again := v_again || v_row."#key";
                    END IF;
                END IF;
            END IF;
        END LOOP;
        IF v_missing <> '{}' THEN
            "#keys" := v_missing;
            :create_by_keys:
            v_again := v_again || v_missing;
        END IF;
        EXIT WHEN v_again = '{}';
        "#keys" := v_again;
    END LOOP;
    IF v_again <> '{}' THEN
        RAISE EXCEPTION 'others make and delete the rows of % all the time', v_again USING ERRCODE = 'serialization_failure';
    END IF;

    IF v_changed_ahead <> '{}' THEN
        PERFORM changeover.update_ahead(changeover.fragments(:first_source:), v_changed_ahead);
    END IF;

    -- The rejects of these keys become exactly those that apply now. Nothing to do for a key with one row a source.
    v_odd := ARRAY(
        SELECT k.key FROM unnest(v_all) AS k (key)
        WHERE k.key = ''
           OR k.key IN (SELECT b.key FROM unnest(v_bad, v_reasons) AS b (key, reason) WHERE b.reason <> 'gone')
           OR :odd:
    );
    IF v_odd <> '{}' THEN
        PERFORM changeover.settle_rejects(p.id, v_odd, changeover.fragments(p.id) ->> 'rejected', v_bad, v_reasons)
        FROM unnest(ARRAY[:ids:]) AS p (id);
    END IF;

    IF NOT EXISTS (SELECT FROM changeover.source z
                   WHERE z.mapping_id = :mapping: AND z.id::text = current_setting('changeover.draining', true)) THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            v_unsure := v_all;
        ELSIF v_bad <> '{}'
            AND EXISTS (SELECT FROM changeover.source z WHERE z.mapping_id = :mapping: AND z.state NOT IN ('copied', 'archived'))
        THEN
            -- A batch that has not committed may bring such a row back.
            v_unsure := v_bad;
        END IF;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT :first_source:, 'forward', k.key, 'unsure' FROM unnest(v_unsure) AS k (key);
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
