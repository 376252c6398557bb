-- The document's foreign keys of these tables, added after the rows without holding up who writes.
ALTER TABLE workflow.workflow_instance ADD CONSTRAINT fk_workflow_instance_workflow
    FOREIGN KEY (workflowid) REFERENCES workflow.dm_workflow (workflowid);
ALTER TABLE workflow.workflow_instance ADD CONSTRAINT fk_workflow_instance_current_step
    FOREIGN KEY (currentstepid) REFERENCES workflow.dm_workflow_step (stepid);
ALTER TABLE workflow.workflow_step_instance ADD CONSTRAINT fk_workflow_step_instance_instance
    FOREIGN KEY (instanceid) REFERENCES workflow.workflow_instance (instanceid);
ALTER TABLE workflow.workflow_step_instance ADD CONSTRAINT fk_workflow_step_instance_step
    FOREIGN KEY (stepid) REFERENCES workflow.dm_workflow_step (stepid);
