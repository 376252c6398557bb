-- The document's log of migrations, read out of the ledger. It shows what is under way, too.
CREATE SCHEMA json_normalized;
CREATE SCHEMA dbo;

CREATE VIEW system.migration_log AS
SELECT
    row_number() OVER (ORDER BY p.run_id, p.started_at, p.stage, p.phase) AS logid,
    substring(p.stage FROM 2 FOR 3) AS migrationversion,
    p.stage || ', ' || p.phase AS migrationname,
    coalesce(p.ended_at, p.started_at) AS executedat,
    CASE p.state WHEN 'done' THEN 'SUCCESS' ELSE upper(p.state) END AS status,
    p.detail ->> 'error' AS errormessage,
    (1000 * extract(epoch FROM p.ended_at - p.started_at))::integer AS executiontimems
FROM changeover.phase AS p
JOIN changeover.run AS r ON r.id = p.run_id
WHERE r.plan = 'dvc' AND p.started_at IS NOT NULL;
