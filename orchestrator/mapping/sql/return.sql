-- Drain one key of the reverse mirror. The source row is locked first, as every writer of the old side does: then
-- none of them is in between.
--   {"set": {column: [before, after]}}  a hindered update: compare and set
--   {"erase": image}                    a hindered deletion
--   {"set": ..., "key": new key}        a hindered update that changes the key
--   {"whole": target key}               a hindered insert; with "set" too, an update of a row that had no key yet
--   {"drop": [columns], "set": ...}     the way back gives something else now: what was kept of the old values goes
--   {"carry": row before, "id": …, …}   its originals could not be kept true when it was written: that comes first
--   NULL                                make the source row what the target says, unless the old side has news
-- The target is derived again afterwards, as a queued key: it may be a reject, and that is no reason to go back on this.
CREATE OR REPLACE FUNCTION changeover.:fn:_return(p_key text, p_patch jsonb)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_key text := p_key;
    v_row tid;
    v_found boolean;
    v_waiting boolean;
    v_again boolean;
    v_target :target:;
    v_before :target:;
BEGIN
    :recarry:
    :return_keyless:
    PERFORM FROM :source: x, (SELECT ARRAY[p_key] AS keys) k WHERE :locked: FOR NO KEY UPDATE OF x;
    :choose:
    IF p_patch ? 'erase' THEN
        PERFORM changeover.:fn:_erase(p_key, p_patch -> 'erase');
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', p_key, 'returned');
        RETURN;
    ELSIF p_patch ? 'set' THEN
        IF p_patch ? 'drop' THEN
            PERFORM set_config('changeover.origin', :forward:, true);
            UPDATE :target: g SET :without_dropped: FROM (SELECT p_key AS key) k WHERE :target_meant: AND :own: AND :alive:;
            PERFORM set_config('changeover.origin', v_origin, true);
        END IF;
        IF v_found THEN
            PERFORM changeover.:fn:_mend(p_key, p_patch -> 'set');
        END IF;
        INSERT INTO changeover.queue (source_id, direction, key, cause)
        SELECT DISTINCT :id:, 'forward', k.key, 'returned'
        FROM unnest(ARRAY[p_key, p_patch ->> 'key']) AS k (key) WHERE k.key IS NOT NULL;
        RETURN;
    ELSIF p_patch ? 'whole' THEN
        -- If it has changed its key since, that waits behind: there is nothing to change yet, it is made under the new one.
        UPDATE changeover.queue c SET key = c.patch ->> 'key', patch = jsonb_build_object('whole', c.patch ->> 'key')
        WHERE c.id = (SELECT min(e.id) FROM changeover.queue e
                      WHERE e.source_id = :id: AND e.direction = 'reverse' AND e.key = p_key AND e.patch ->> 'key' IS NOT NULL);
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    v_waiting := EXISTS (SELECT FROM changeover.queue c
                         WHERE c.source_id = :id: AND c.direction = 'forward' AND c.key = p_key)
        OR EXISTS (SELECT FROM changeover.queue c
                   WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'forward' AND c.key IS NULL);
    SELECT g.* INTO v_target FROM :target: g, (SELECT p_key AS key) k
    WHERE :target_meant: AND :own: AND :alive: FOR NO KEY UPDATE OF g;
    IF NOT FOUND THEN
        -- A rejected row stands for nothing in the target. Of several with one key all but one are.
        IF p_patch IS NULL AND NOT v_waiting
            AND (SELECT count(*) FROM :source: x, (SELECT ARRAY[p_key] AS keys) k WHERE :locked:)
                > (SELECT count(*) FROM changeover.reject r WHERE r.source_id = :id: AND r.key = p_key)
        THEN
            PERFORM changeover.:fn:_erase(p_key, NULL);
            PERFORM changeover.:fn:_apply(ARRAY[p_key]);
        END IF;
    ELSIF NOT v_found OR (p_patch IS NULL AND NOT v_waiting) THEN
        IF changeover.:fn:_put(NULL, v_target, true) THEN
            INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', p_key, 'returned');
        END IF;
    ELSE
        INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (:id:, 'forward', p_key, 'returned');
    END IF;
END
$changeover$
