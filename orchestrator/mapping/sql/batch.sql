-- One batch: the heap pages [lo, hi) of a source into the target. Never overwrites: only a mirror may.
-- The advisory lock comes before the first snapshot; the drain takes it exclusively, so that it acts on
-- a deleted row only when no batch that might still have seen the row is under way.
-- jit is off because the statement is long and the batch short; one plan serves every batch.
-- The rows are derived once. One that cannot go in as it is sets itself aside (its ctid goes into a setting of this
-- transaction, as a condition may call a function but not write a row), and only those are looked at again. A + before
-- it says that there is nothing against the row itself: it refers to one that is still to be made. A row without a value that the target
-- requires is set aside as well, and rejected with the others: as an error it would be looked for row by row.
CREATE OR REPLACE FUNCTION changeover.:fn:_batch(lo bigint, hi bigint)
RETURNS TABLE (seen bigint, copied bigint, rejected bigint)
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    "#from" tid := ('(' || lo || ',0)')::tid;
    "#to" tid := ('(' || hi || ',0)')::tid;
    "#places" tid[];
    v_careful boolean := coalesce(nullif(current_setting('changeover.careful', true), '')::boolean, false);
    v_strict boolean := NOT changeover.filled_by_trigger(:target_oid:);
    v_seen bigint;
    v_copied bigint;
    "#aside" tid[];
    v_sound boolean;
    v_more bigint;
    v_rejected bigint := 0;
BEGIN
    PERFORM set_config('changeover.origin', :forward:, true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(:lock:);
    -- A list, and not the range: see on_pages in sqltext.py.
    "#places" := ARRAY(SELECT p.ctid FROM :source: p WHERE p.ctid >= "#from" AND p.ctid < "#to");
    v_seen := cardinality("#places");
    -- Plain first: ON CONFLICT costs as much again as the insertion, and most batches meet nothing. Where mirrors write what
    -- is not copied yet, a batch that met a row of theirs lets the next one look out too.
    IF NOT v_careful THEN
        BEGIN
            PERFORM set_config('changeover.aside', '', true);
:store:;
            GET DIAGNOSTICS v_copied = ROW_COUNT;
        EXCEPTION WHEN unique_violation THEN
            v_careful := true;
        END;
    END IF;
    IF v_careful THEN
        PERFORM set_config('changeover.aside', '', true);
:store:
        ON CONFLICT :conflict: DO NOTHING;
        GET DIAGNOSTICS v_copied = ROW_COUNT;
    END IF;
    v_sound := strpos(current_setting('changeover.aside'), '+') > 0;
    "#aside" := string_to_array(translate(rtrim(current_setting('changeover.aside'), ';'), '+', ''), ';')::tid[];
    PERFORM set_config('changeover.careful', (v_copied + cardinality("#aside") < v_seen)::text, false);
    IF v_copied + cardinality("#aside") < v_seen THEN
        -- Their ids stand in the target: a mirror was first, or they are somebody else's.
        "#aside" := "#aside" || ARRAY(
            SELECT x.ctid FROM :source: x
            WHERE :on_pages: AND NOT EXISTS (SELECT FROM :target: g WHERE :target_of_row: AND :own:));
        v_sound := true;
    END IF;
    IF "#aside" <> '{}' THEN
        IF v_sound THEN
            IF EXISTS (SELECT FROM (
:by_aside:
            ) d WHERE d."#reason" IS NULL AND d."#unresolved") THEN
                :create_by_aside:
            END IF;
            -- Also where nothing is unresolved by now: another worker may have made the missing row since the
            -- first statement, which then passed over what needs it.
            INSERT INTO :target: AS g (:columns:)
            SELECT :derived_columns:
            FROM (
:by_aside:
            ) d
            WHERE d."#reason" IS NULL AND NOT :lacking: AND NOT EXISTS (SELECT FROM :target: h WHERE h.:target_key: = d.:target_key:)
            ON CONFLICT :conflict: DO NOTHING;
            GET DIAGNOSTICS v_more = ROW_COUNT;
            v_copied := v_copied + v_more;
        END IF;
        -- A mirror that runs before this commit does not see the reject. So the drain looks at each again: at the row's
        -- version alone (it is rejected still if nobody has touched it since), or, where the reason speaks of other rows too,
        -- by deriving it anew. Nothing here locks or writes a source.
        WITH found AS (
:rejects_by_aside:
        ),
        written AS (
            INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
            SELECT :id:, :label:, :stage:, f.key, f.reason, f.detail, f."row"
            FROM found f
            WHERE f.reason <> 'displaces'
              AND NOT EXISTS (
                SELECT FROM changeover.reject r
                WHERE r.source_id = :id: AND r.key = f.key AND r.reason = f.reason AND r."row" = f."row" OFFSET 0)
            RETURNING key
        ),
        again AS (
            INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
            SELECT DISTINCT :id:, 'forward', f.key, 'batch:' || f.reason, CASE WHEN f.reason = ANY (:steady:) THEN (
                SELECT jsonb_build_object('place', x.ctid::text, 'xmin', x.xmin::text) FROM :source: x WHERE x.ctid = f.place
            ) END
            FROM found f
        )
        SELECT count(*) INTO v_rejected FROM written;
    END IF;
    PERFORM changeover.check_constraints(:written:);
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN QUERY SELECT v_seen, v_copied, v_rejected;
END
$changeover$
