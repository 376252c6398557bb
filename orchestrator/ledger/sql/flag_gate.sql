-- The gate before a flag of a plan stage lets anybody read the new tables: the last verification of that stage, in
-- the plan's last run, must have been clean. It stands in the database, so a raw UPDATE meets it as well; the
-- engine has more to ask (mirrors, checksum) and does so before it writes.
CREATE OR REPLACE FUNCTION changeover.flag_gate(of_plan text, of_plan_stage text, to_stage text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN CASE (
    SELECT v.state FROM changeover.verification AS v
     WHERE v.plan = of_plan AND v.stage = of_plan_stage AND v.state <> 'running'
       AND (v.run_id IS NULL OR v.run_id = (SELECT max(r.id) FROM changeover.run AS r WHERE r.plan = of_plan))
     ORDER BY v.id DESC LIMIT 1)
    WHEN 'clean' THEN NULL
    WHEN 'different' THEN 'the last verification of stage ' || of_plan_stage || ' found differences'
    ELSE 'stage ' || of_plan_stage || ' has not been verified in this run'
END;
