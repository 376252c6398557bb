-- The document's foreign keys of these tables, added after the rows without holding up who writes.
ALTER TABLE workflow.dm_workflow_step ADD CONSTRAINT fk_workflow_step_workflow
    FOREIGN KEY (workflowid) REFERENCES workflow.dm_workflow (workflowid);
