-- The extraordinary cases of a sync, in the order in which they depend on each other.
CREATE OR REPLACE FUNCTION changeover.:fn:_settle(keys text[])
RETURNS void
LANGUAGE plpgsql
:pins:
SET jit = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_again boolean;
BEGIN
    -- 1. Rows that the lookups must make first.
    IF EXISTS (SELECT FROM (
:by_keys:
    ) d WHERE d.reason IS NULL AND d."#unresolved") THEN
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
    WHERE d.reason IS NULL
    ON CONFLICT :conflict: DO UPDATE SET :update_set:
    WHERE :own: AND NOT :is_ahead:;

    -- 4. Rows with values of the new side that the old schema cannot tell: those columns stay as they
    --    are as long as the old schema still says what it said when they were written.
    :update_ahead:

    -- 5. Rows whose source is gone, or is no longer representable.
    WITH gone AS (
        DELETE FROM :target: g
        USING unnest(keys) AS k (key)
        WHERE :target_of_key: AND :own: AND :alive:
          AND NOT EXISTS (SELECT FROM (
:by_keys:
          ) d WHERE d."#key" = k.key AND d.reason IS NULL)
        RETURNING k.key
    ),
    absent AS (
        SELECT k.key FROM unnest(keys) AS k (key)
        WHERE NOT EXISTS (SELECT FROM (
:by_keys:
        ) d WHERE d."#key" = k.key AND d.reason IS NULL)
    ),
    -- A batch that has not committed may bring such a row back, and a snapshot of REPEATABLE READ may not
    -- have shown it to us: both are looked at again, unless it is the sweeper who asks.
    again AS (
        INSERT INTO changeover.recheck (source_id, direction, key, cause)
        SELECT :id:, 'forward', a.key, 'gone'
        FROM absent a
        WHERE current_setting('changeover.sweeping', true) IS DISTINCT FROM 'on'
          AND (EXISTS (SELECT FROM changeover.source z WHERE z.id = :id: AND z.state <> 'copied')
               OR (current_setting('transaction_isolation') <> 'read committed'
                   AND NOT EXISTS (SELECT FROM gone WHERE gone.key = a.key)))
    )
    INSERT INTO changeover.recheck (source_id, direction, key, cause)
    SELECT DISTINCT r.source_id, 'forward', r.key, 'released'
    FROM changeover.reject r
    JOIN changeover.source z ON z.id = r.source_id AND z.mapping_id = :mapping: AND z.id <> :id:
    JOIN gone ON gone.key = r.key
    WHERE r.reason = 'id_taken';

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
        WHERE r.source_id = :id: AND r.key = ANY (keys)
    ),
    settled AS (
        DELETE FROM changeover.reject r
        USING standing s
        WHERE r.id = s.id
          AND NOT EXISTS (SELECT FROM wanted w
                          WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth))
    )
    INSERT INTO changeover.reject (source_id, source, stage, key, reason, detail, "row")
    SELECT :id:, :label:, :stage:, w.key, w.reason, w.detail, w."row"
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM standing s
                      WHERE (w.key, w.reason, w."row", w.nth) = (s.key, s.reason, s."row", s.nth));
END
$changeover$
