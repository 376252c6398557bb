-- The extraordinary cases of a derivation, in the order in which they depend on each other. Seldom needed by a session, so
-- their plans are made when they are needed and not kept.
CREATE OR REPLACE FUNCTION changeover.:fn:_apply_slow("#keys" text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_all text[] := "#keys";
    v_absent text[];
    v_gone text[];
BEGIN
    -- Whoever brings a key back at this moment, or takes another row of it away, holds the target row. What the
    -- source says is looked at after waiting for it, statement by statement.
    PERFORM FROM :target: g, unnest("#keys") AS k (key)
    WHERE :target_of_key: AND :own: AND :alive: FOR UPDATE OF g;

    -- 1. Rows that the lookups must make first.
    IF EXISTS (SELECT FROM (
:by_keys:
    ) d WHERE d."#reason" IS NULL AND d."#unresolved") THEN
        :create_by_keys:
    END IF;

    -- 2. An id that stands in two tables belongs to the table that comes first in the plan's order.
    :displace:

    -- 3. What could not be stored in the first statement.
    INSERT INTO :target: AS g (:columns:)
    SELECT :derived_columns:
    FROM (
:by_keys:
    ) d
    WHERE d."#reason" IS NULL
    ON CONFLICT :conflict: DO UPDATE SET :update_set:
    WHERE :own: AND NOT :is_ahead: AND :worth_it:;

    -- 4. Rows with values of the new side that the old schema cannot tell: those columns stay as they
    --    are as long as the old schema still says what it said when they were written.
    :update_ahead:

    -- 5. Rows whose source is gone, or is no longer representable.
    SELECT array_agg(a.key) INTO v_absent
    FROM (
        SELECT k.key FROM unnest("#keys") AS k (key)
        EXCEPT
        SELECT d."#key" FROM (
:by_keys:
        ) d WHERE d."#reason" IS NULL
    ) a;
    IF v_absent IS NOT NULL THEN
        "#keys" := v_absent;
        WITH gone AS (
            DELETE FROM :target: g
            USING unnest("#keys") AS k (key)
            WHERE :target_of_key: AND :own: AND :alive:
              -- Asked of the key and not of the row, or the planner asks it of every row there is.
              AND (:id_of_key: IN (SELECT d.:target_key: FROM (
:by_keys:
              ) d WHERE d."#reason" IS NULL)) IS NOT TRUE
              -- A row that the new side has made and could not write back yet.
              AND NOT EXISTS (SELECT FROM changeover.queue c
                              WHERE c.key = k.key AND c.source_id = :id: AND c.direction = 'reverse' AND c.patch ? 'whole')
            RETURNING k.key
        )
        SELECT array_agg(d.key) INTO v_gone FROM gone d;
        -- A batch that has not committed may bring such a row back, and a snapshot of REPEATABLE READ may not
        -- have shown it to us: both are looked at again, unless it is the drain who asks.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT :id:, 'forward', a.key, 'gone'
        FROM unnest("#keys") AS a (key)
        WHERE current_setting('changeover.draining', true) IS DISTINCT FROM ':id:'
          AND (EXISTS (SELECT FROM changeover.source z WHERE z.id = :id: AND z.state NOT IN ('copied', 'archived'))
               OR (current_setting('transaction_isolation') <> 'read committed'
                   AND a.key <> ALL (coalesce(v_gone, '{}'))));
        :release_gone:
        "#keys" := v_all;
    END IF;

    -- 6. The rejects of these keys become exactly those that apply now; a waived one stays waived.
    WITH wanted AS (
        SELECT f.key, f.reason, f.detail, f."row",
               row_number() OVER (PARTITION BY f.key, f.reason, f."row") AS nth
        FROM (
:rejects_by_keys:
        ) f
        WHERE f.reason <> 'displaces'
    ),
    standing AS (
        SELECT r.id, r.key, r.reason, r."row",
               row_number() OVER (PARTITION BY r.key, r.reason, r."row" ORDER BY r.id) AS nth
        FROM changeover.reject r
        WHERE r.source_id = :id: AND r.key = ANY ("#keys")
    ),
    settled AS (
        DELETE FROM changeover.reject r
        WHERE r.id = ANY (ARRAY(
            SELECT s.id FROM standing s
            WHERE NOT EXISTS (SELECT FROM wanted w
                              WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))))
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
    SELECT :id:, :label:, :stage:, w.key, w.reason, w.detail, w."row"
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM standing s
                      WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth));
END
$changeover$
