-- The document's foreign keys of these tables, added after the rows without holding up who writes.
ALTER TABLE workflow.workflow_assignment_rules ADD CONSTRAINT fk_workflow_assignment_workflow
    FOREIGN KEY (workflowid) REFERENCES workflow.dm_workflow (workflowid);
ALTER TABLE workflow.workflow_assignment_rules ADD CONSTRAINT fk_workflow_assignment_step
    FOREIGN KEY (stepid) REFERENCES workflow.dm_workflow_step (stepid);
ALTER TABLE workflow.workflow_escalation_log ADD CONSTRAINT fk_workflow_escalation_instance
    FOREIGN KEY (instanceid) REFERENCES workflow.workflow_instance (instanceid);
ALTER TABLE workflow.workflow_escalation_log ADD CONSTRAINT fk_workflow_escalation_step_instance
    FOREIGN KEY (stepinstanceid) REFERENCES workflow.workflow_step_instance (stepinstanceid);
ALTER TABLE workflow.workflow_performance_metrics ADD CONSTRAINT fk_workflow_metrics_workflow
    FOREIGN KEY (workflowid) REFERENCES workflow.dm_workflow (workflowid);
ALTER TABLE workflow.workflow_performance_metrics ADD CONSTRAINT fk_workflow_metrics_step
    FOREIGN KEY (stepid) REFERENCES workflow.dm_workflow_step (stepid);
