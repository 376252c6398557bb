-- The document's indexes on these tables, made after the rows.
CREATE INDEX ix_workflow_instance_workflow ON workflow.workflow_instance (workflowid, status);
CREATE INDEX ix_workflow_instance_hoso ON workflow.workflow_instance (hosoid, status);
CREATE INDEX ix_workflow_instance_code ON workflow.workflow_instance (instancecode);
-- ix_workflow_instance_elsa is left out: the unique constraint uc_workflow_instance_elsaworkflowinstanceid has the same index.
CREATE INDEX ix_workflow_instance_status ON workflow.workflow_instance (status, priority);
CREATE INDEX ix_workflow_instance_assignee ON workflow.workflow_instance (currentassignee, status);
CREATE INDEX ix_workflow_instance_duedate ON workflow.workflow_instance (duedate, status);
CREATE INDEX ix_workflow_instance_sla ON workflow.workflow_instance (slastatus, duedate);
CREATE INDEX ix_workflow_instance_started ON workflow.workflow_instance (startedat DESC);
CREATE INDEX ix_workflow_instance_organization ON workflow.workflow_instance (organizationid, status);
CREATE INDEX ix_workflow_step_instance_instance ON workflow.workflow_step_instance (instanceid, status);
CREATE INDEX ix_workflow_step_instance_step ON workflow.workflow_step_instance (stepid, status);
CREATE INDEX ix_workflow_step_instance_assigned ON workflow.workflow_step_instance (assignedto, status);
CREATE INDEX ix_workflow_step_instance_executor ON workflow.workflow_step_instance (actualexecutor, completedat DESC);
CREATE INDEX ix_workflow_step_instance_status ON workflow.workflow_step_instance (status, createdat DESC);
CREATE INDEX ix_workflow_step_instance_duedate ON workflow.workflow_step_instance (duedate, status);
CREATE INDEX ix_workflow_step_instance_sla ON workflow.workflow_step_instance (slastatus, duedate);
CREATE INDEX ix_workflow_step_instance_elsa ON workflow.workflow_step_instance (elsaactivityinstanceid);
-- Not in the document: the foreign key to the current step had no index that serves it.
CREATE INDEX ix_workflow_instance_currentstep ON workflow.workflow_instance (currentstepid);
