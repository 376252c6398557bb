-- The views by which the other services see workflows. Columns keep the document's names.

CREATE VIEW "case".v_workflowinfo AS
SELECT
    w.workflowid,
    w.workflowcode,
    w.workflowname,
    w.tthcid,
    w.estimatedduration,
    w.slatargethours,
    w.automationlevel,
    w.deploymentstatus,
    w.isactive
FROM workflow.dm_workflow w
WHERE w.isactive AND w.deploymentstatus = 'Deployed';

CREATE VIEW "case".v_workflowtasks AS
SELECT
    wi.instanceid,
    wi.instancecode,
    wi.status AS instancestatus,
    wi.currentassignee,
    wi.priority,
    si.stepinstanceid,
    si.stepid,
    s.stepname,
    s.steptype,
    si.status AS stepstatus,
    si.assignedto,
    si.duedate,
    si.estimateddurationminutes
FROM workflow.workflow_instance wi
INNER JOIN workflow.workflow_step_instance si ON wi.instanceid = si.instanceid
INNER JOIN workflow.dm_workflow_step s ON si.stepid = s.stepid
WHERE wi.status IN ('Running', 'Suspended')
AND si.status IN ('Pending', 'Running');

CREATE VIEW notification.v_workflownotifications AS
SELECT
    wi.instanceid,
    wi.instancecode,
    wi.hosoid,
    wi.initiatedby,
    wi.currentassignee,
    wi.status,
    wi.priority,
    wi.duedate,
    si.stepinstanceid,
    s.stepname,
    si.assignedto,
    si.status AS stepstatus,
    w.workflowname
FROM workflow.workflow_instance wi
INNER JOIN workflow.dm_workflow w ON wi.workflowid = w.workflowid
LEFT JOIN workflow.workflow_step_instance si ON wi.instanceid = si.instanceid AND si.status = 'Running'
LEFT JOIN workflow.dm_workflow_step s ON si.stepid = s.stepid
WHERE wi.status IN ('Running', 'Suspended', 'AtRisk');
