-- The document's indexes on these tables, made after the rows.
CREATE INDEX ix_workflow_assignment_workflow ON workflow.workflow_assignment_rules (workflowid, isactive);
CREATE INDEX ix_workflow_assignment_step ON workflow.workflow_assignment_rules (stepid, priority);
CREATE INDEX ix_workflow_assignment_type ON workflow.workflow_assignment_rules (ruletype, isactive);
CREATE INDEX ix_workflow_assignment_effective ON workflow.workflow_assignment_rules (effectivefrom, effectiveto);
CREATE INDEX ix_workflow_escalation_instance ON workflow.workflow_escalation_log (instanceid, escalatedat DESC);
CREATE INDEX ix_workflow_escalation_step ON workflow.workflow_escalation_log (stepinstanceid, status);
CREATE INDEX ix_workflow_escalation_type ON workflow.workflow_escalation_log (escalationtype, escalationlevel);
CREATE INDEX ix_workflow_escalation_participants ON workflow.workflow_escalation_log (escalatedto, status);
CREATE INDEX ix_workflow_escalation_status ON workflow.workflow_escalation_log (status, escalatedat DESC);
CREATE INDEX ix_workflow_metrics_workflow ON workflow.workflow_performance_metrics (workflowid, periodstart DESC);
CREATE INDEX ix_workflow_metrics_step ON workflow.workflow_performance_metrics (stepid, periodstart DESC);
CREATE INDEX ix_workflow_metrics_organization ON workflow.workflow_performance_metrics (organizationid, periodtype);
CREATE INDEX ix_workflow_metrics_period ON workflow.workflow_performance_metrics (periodtype, periodstart DESC);
