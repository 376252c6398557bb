-- The document's indexes on these tables, made after the rows.
-- ix_workflow_code is left out: the unique constraint uc_dm_workflow_workflowcode has the same index.
CREATE INDEX ix_workflow_tthc ON workflow.dm_workflow (tthcid, isactive);
CREATE INDEX ix_workflow_type ON workflow.dm_workflow (workflowtype, deploymentstatus);
CREATE INDEX ix_workflow_status ON workflow.dm_workflow (deploymentstatus, isactive);
CREATE INDEX ix_workflow_elsa ON workflow.dm_workflow (elsaworkflowdefinitionid, elsaworkflowversion);
CREATE INDEX ix_workflow_performance ON workflow.dm_workflow (estimatedduration, complexitylevel);
CREATE INDEX ix_workflow_updated ON workflow.dm_workflow (updatedat DESC);
CREATE INDEX ix_workflow_step_workflow ON workflow.dm_workflow_step (workflowid, stepnumber);
CREATE INDEX ix_workflow_step_code ON workflow.dm_workflow_step (stepcode, workflowid);
CREATE INDEX ix_workflow_step_type ON workflow.dm_workflow_step (steptype, activitytype);
CREATE INDEX ix_workflow_step_elsa ON workflow.dm_workflow_step (elsaactivityid, elsaactivitytype);
CREATE INDEX ix_workflow_step_assignment ON workflow.dm_workflow_step (assignmenttype, isactive);
CREATE INDEX ix_workflow_step_human ON workflow.dm_workflow_step (requireshumaninput, taskpriority);
CREATE INDEX ix_workflow_step_system ON workflow.dm_workflow_step (issystemactivity, isactive);
CREATE INDEX ix_workflow_step_performance ON workflow.dm_workflow_step (averageexecutiontime, successrate);
