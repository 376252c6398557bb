-- Repair: take out the rows of the target that belong to no old row, by what the orphan search said of them. Most orphans
-- have an old key, and deriving that key takes them out; these have none, or one that leads to another row. It is
-- asked again, behind everybody who writes them, and what could not be written back yet is no orphan. The history keeps
-- each row whole: somebody may have wanted it.
CREATE OR REPLACE FUNCTION changeover.:fn:_delete_orphans(p_rows jsonb[])
RETURNS bigint
LANGUAGE plpgsql
:pins:
AS $changeover$
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_ids :key_type:[];
    v_gone bigint;
BEGIN
    v_ids := ARRAY(SELECT CAST(u.found ->> :key_name: AS :key_type:) FROM unnest(p_rows) AS u (found));
    PERFORM FROM :target: t WHERE t.:target_key: = ANY (v_ids) FOR UPDATE;
    PERFORM set_config('changeover.origin', :forward:, true);
    WITH gone AS (
        DELETE FROM :target: g
        WHERE g.:target_key: IN (
            SELECT t.:target_key:
            :orphans:
              AND NOT EXISTS (
                  SELECT FROM changeover.queue c JOIN changeover.source z ON z.id = c.source_id
                  WHERE z.mapping_id = :mapping: AND c.id > 0
                    AND (c.key IS NULL OR CAST(t.:target_key: AS text) IN (c.key, c.patch ->> 'whole', c.patch ->> 'id'))))
        RETURNING to_jsonb(g.*) AS "row"
    ), noted AS (
        INSERT INTO changeover.event (plan, stage, kind, detail)
        SELECT m.plan, m.stage, 'row.orphan_deleted', jsonb_build_object('table', m.target, 'row', o."row")
        FROM gone o, changeover.mapping m WHERE m.id = :mapping:
    )
    SELECT count(*) INTO v_gone FROM gone;
    PERFORM set_config('changeover.origin', v_origin, true);
    RETURN v_gone;
END
$changeover$
