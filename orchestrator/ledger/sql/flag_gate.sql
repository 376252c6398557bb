-- The gate before a flag of a plan stage goes forward. It stands in the database, so a raw UPDATE meets it as well.
-- `shadow` compares both sides: the rows must be there and kept equal. From `live` on the new side's answer counts: the
-- last verification must have been clean, and a way back must be kept open by the reverse mirror, unless nothing is ever
-- written back. All of it in the plan's last run.
CREATE OR REPLACE FUNCTION changeover.flag_gate(of_plan text, of_plan_stage text, to_stage text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN NOT EXISTS (
        SELECT FROM changeover.phase AS p
         WHERE p.stage = of_plan_stage AND p.phase = 'dual-write' AND p.state = 'done'
           AND p.run_id = (SELECT max(r.id) FROM changeover.run AS r WHERE r.plan = of_plan))
        THEN 'the mirrors of stage ' || of_plan_stage || ' are not on'
    WHEN NOT EXISTS (
        SELECT FROM changeover.phase AS p
         WHERE p.stage = of_plan_stage AND p.phase = 'backfill' AND p.state = 'done'
           AND p.run_id = (SELECT max(r.id) FROM changeover.run AS r WHERE r.plan = of_plan))
        THEN 'the rows of stage ' || of_plan_stage || ' have not all been copied'
    WHEN to_stage IN ('live', 'rampdown', 'complete') THEN coalesce(
        (SELECT 'the reverse mirror on ' || m.target || ' is off'
           FROM changeover.mapping AS m
          WHERE m.plan = of_plan AND m.stage = of_plan_stage AND m.target_oid IS NOT NULL AND NOT m.one_way
            AND NOT EXISTS (
                SELECT FROM pg_trigger AS t
                 WHERE t.tgrelid = m.target_oid AND t.tgname LIKE ANY (ARRAY['changeover\_%\_reverse', '~changeover\_i%\_bu'])
                   AND t.tgenabled IN ('O', 'A'))
          ORDER BY m.target LIMIT 1),
        CASE (
            SELECT v.state FROM changeover.verification AS v
             WHERE v.plan = of_plan AND v.stage = of_plan_stage AND v.state <> 'running'
               AND (v.run_id IS NULL OR v.run_id = (SELECT max(r.id) FROM changeover.run AS r WHERE r.plan = of_plan))
             ORDER BY v.id DESC LIMIT 1)
        WHEN 'clean' THEN NULL
        WHEN 'different' THEN 'the last verification of stage ' || of_plan_stage || ' found differences'
        ELSE 'stage ' || of_plan_stage || ' has not been verified in this run'
        END)
END;
