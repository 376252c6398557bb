-- One running primary instance for each case. A run that is not primary says so: {"secondary": true} among its variables.
CREATE UNIQUE INDEX uc_workflow_instance_one_running ON workflow.workflow_instance (hosoid)
    WHERE status IN ('Running', 'Suspended') AND coalesce(contextvariables ->> 'secondary', 'false') <> 'true';
