-- What a DROP ... CASCADE would take along or orphan: active runs, abandoned ones that have left something behind (the
-- ledger alone knows what), and every object outside the schema that depends on one inside it (triggers on the
-- application's tables, views and checks that call our functions).
WITH inside (classid, objid) AS (
    SELECT 'pg_catalog.pg_class'::regclass, oid FROM pg_catalog.pg_class
     WHERE relnamespace = to_regnamespace('changeover')
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, oid FROM pg_catalog.pg_proc
     WHERE pronamespace = to_regnamespace('changeover')
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, oid FROM pg_catalog.pg_type
     WHERE typnamespace = to_regnamespace('changeover')
), dependent AS (
    SELECT DISTINCT d.classid, d.objid
      FROM pg_catalog.pg_depend AS d
      JOIN inside AS i ON (d.refclassid, d.refobjid) = (i.classid, i.objid)
     WHERE d.deptype IN ('n', 'a')
       -- Inside objects depend on each other, through parts (rules, constraints, defaults) that have no
       -- namespace of their own; their address begins with the schema of the table they belong to.
       AND (pg_identify_object_as_address(d.classid, d.objid, 0)).object_names[1] <> 'changeover'
       AND NOT EXISTS (SELECT FROM inside AS own WHERE (own.classid, own.objid) = (d.classid, d.objid))
)
SELECT 'run ' || id || ' of plan ' || plan || ' is active' AS reason FROM changeover.run WHERE state = 'active'
UNION ALL
SELECT 'run ' || r.id || ' of plan ' || r.plan || ' was abandoned with ' || count(*) || ' action' || CASE count(*) WHEN 1 THEN '' ELSE 's' END || ' not undone'
  FROM changeover.run AS r JOIN changeover.action AS a ON a.run_id = r.id
 WHERE r.state = 'abandoned' AND a.state <> 'undone' AND a.inverse IS NOT NULL
 GROUP BY r.id, r.plan
UNION ALL
(SELECT pg_describe_object(classid, objid, 0) || ' depends on it' AS reason FROM dependent ORDER BY reason)
