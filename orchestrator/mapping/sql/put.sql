-- Reverse mirror: the source row that this target row stands for. On an update only the columns that the
-- new side changed are written, so that a concurrent write of the old side to another column stays.
-- True when the target must be derived again afterwards: a trigger of the application changed what was written,
-- the row has settled a reject, or (without a unique key) another row is the first of its key now.
-- Both rows are computed once, into a and b: the statements that write and compare them have small plans.
CREATE OR REPLACE FUNCTION changeover.:fn:_put("#old" :target:, "#new" :target:, p_whole boolean)
RETURNS boolean
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_putting text := coalesce(current_setting('changeover.putting', true), '');
    v_set text := set_config('changeover.origin', :reverse:, true);
    v_key text := :key_of_row:;
    v_new_key text := :key_of_new:;
    v_row tid;
    v_written tid[] := '{}';
    v_found boolean;
    v_changed boolean;
    v_said :target:;
    a record;
    b record;
BEGIN
    v_set := set_config('changeover.putting', array_remove(ARRAY[v_key, v_new_key], NULL)::text, true);
    FOR v_nth IN CASE WHEN p_whole THEN 2 ELSE 1 END .. 2 LOOP  -- a of the old row, b of the new one, by one statement: its plan is large
        v_said := CASE v_nth WHEN 1 THEN "#old" ELSE "#new" END;
        SELECT r.* INTO b FROM changeover.:fn:_old_row(v_said) r;
        IF v_nth = 1 OR p_whole THEN
            a := b;
        END IF;
    END LOOP;
    v_changed := p_whole OR a OPERATOR(pg_catalog.*<>) b;
    :choose:
    :not_ours:
    IF v_found THEN
        IF v_changed THEN
            UPDATE :source: x SET :put_set: WHERE :row: RETURNING x.ctid INTO v_row;
            :others_too:
        END IF;
    ELSIF p_whole THEN
        -- First: what is split from the row finds its parent by it, in the mirror that this INSERT sets off.
        :remember_key:
        INSERT INTO :source: (:source_columns:) OVERRIDING SYSTEM VALUE VALUES (:b_values:);
        -- The mirror of this table may not be there yet: what its application does to the row must not be missed.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT z.id, 'forward', v_new_key, 'unmirrored' FROM changeover.source z WHERE z.id = :id: AND z.state = 'found';
    ELSE
        -- The old side has deleted it, and what its mirror could not do at once is waiting.
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT :id:, 'forward', k.key, 'absent' FROM unnest(ARRAY[v_key, v_new_key]) AS k (key);
    END IF;
    IF v_found AND NOT p_whole
        AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = ANY (:waits_under:) AND c.source_id = :id: AND c.patch ? 'set')
    THEN
        -- An earlier write of these columns still waits. This one is newer: the other must not find its old value
        -- here again and take it for untouched.
        UPDATE changeover.queue c
        SET patch = jsonb_set(c.patch, '{set}', (c.patch -> 'set') - ARRAY(
            SELECT jsonb_object_keys(changeover.patch_of(:id:, "#old", "#new"))))
        WHERE c.key = ANY (:waits_under:) AND c.source_id = :id: AND c.direction = 'reverse' AND c.patch ? 'set';
    END IF;
    IF p_whole AND EXISTS (SELECT FROM changeover.queue c WHERE c.key = v_key AND c.source_id = :id:) THEN
        DELETE FROM changeover.queue c
        WHERE c.key = v_key AND c.source_id = :id: AND c.direction = 'reverse' AND c.patch ? 'erase';
    END IF;
    IF changeover.deferrable(:source_oid:) THEN
        PERFORM changeover.check_constraints(:source_oid:);
    END IF;
    v_set := set_config('changeover.putting', v_putting, true);
    v_set := set_config('changeover.origin', v_origin, true);
    IF NOT (v_found OR p_whole) THEN
        RETURN false;
    END IF;
    SELECT :now: INTO a FROM (
:row_now:
    ) r;
    RETURN NOT FOUND OR a OPERATOR(pg_catalog.*<>) b
        OR EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = :id: AND r.key = v_new_key);
END
$changeover$
