-- The indexes of migration 007, on new tables and on tables in use. README.md lists those that are mended.

-- Case schema indexes
CREATE INDEX ix_hoso_status_priority ON "case".hoso (tinhtrangxuly, mucdouutien, ngaynop DESC);
CREATE INDEX ix_hoso_tthc_status ON "case".hoso (tthcid, tinhtrangxuly, tenantid);
CREATE INDEX ix_hoso_citizen_submitted ON "case".hoso (nguoinophoso, ngaynop DESC)
    WHERE nguoinophoso IS NOT NULL;
CREATE INDEX ix_hoso_assignedto_status ON "case".hoso (canboxuly, tinhtrangxuly, ngaynop DESC)
    WHERE canboxuly IS NOT NULL;
CREATE INDEX ix_hoso_duedate_status ON "case".hoso (ngayhentra, tinhtrangxuly)
    WHERE tinhtrangxuly NOT IN ('HOAN_THANH', 'HUY_BO', 'COMPLETED', 'CANCELLED');

-- Task assignment indexes
CREATE INDEX ix_task_assign_user_status ON "case".task_assignment (assigneduserid, status, duedate);
CREATE INDEX ix_task_assign_hoso_status ON "case".task_assignment (hosoid, status, createdat DESC);
CREATE INDEX ix_task_assign_overdue ON "case".task_assignment (duedate, status, priority DESC)
    WHERE status NOT IN ('Completed', 'Cancelled');

-- SLA tracking indexes
CREATE INDEX ix_sla_track_breach_risk ON "case".sla_tracking (isbreached, breachseverity DESC, targetendtime)
    WHERE isactive;
CREATE INDEX ix_sla_track_warning ON "case".sla_tracking (slastatus, remaininghours, targetendtime)
    WHERE slastatus IN ('WARNING', 'CRITICAL') AND isactive;

-- Citizen feedback indexes
CREATE INDEX ix_citizen_feedback_rating_date ON "case".citizen_feedback (overallrating, submittedat DESC);
CREATE INDEX ix_citizen_feedback_service_rating ON "case".citizen_feedback (serviceofficeid, overallrating DESC, submittedat DESC);
CREATE INDEX ix_citizen_feedback_sentiment ON "case".citizen_feedback (feedbacktype, overallrating DESC);

-- Status management indexes
CREATE INDEX ix_status_history_hoso_date ON "case".status_history (hosoid, changedat DESC);
CREATE INDEX ix_status_history_user_date ON "case".status_history (changedby, changedat DESC)
    WHERE changedby IS NOT NULL;

-- Notification queue indexes
CREATE INDEX ix_notif_queue_processing ON notification.notification_queue (status, priority DESC, processafter)
    WHERE status IN ('Pending', 'Processing');
CREATE INDEX ix_notif_queue_retry ON notification.notification_queue (status, nextretryat, retrycount)
    WHERE status = 'Failed' AND retrycount < maxretries;
CREATE INDEX ix_notif_queue_recipient ON notification.notification_queue (recipienttype, recipientid, createdat DESC);
CREATE INDEX ix_notif_queue_entity ON notification.notification_queue (relatedentitytype, relatedentityid, createdat DESC);

-- Postal tracking indexes
CREATE INDEX ix_shipment_trackingnumber ON postal.shipment_tracking (trackingnumber);
CREATE INDEX ix_shipment_hoso ON postal.shipment_tracking (hosoid, shipmentstatus, createdat DESC);
CREATE INDEX ix_shipment_status_provider ON postal.shipment_tracking (shipmentstatus, providerid, createdat DESC);

-- LGSP sync indexes
CREATE INDEX ix_lgsp_sync_status ON system.lgsp_sync_log (syncstatus, syncattempts, syncstarttime DESC);
CREATE INDEX ix_lgsp_sync_entity ON system.lgsp_sync_log (entitytype, entityid, syncstarttime DESC);

-- JSON normalized indexes
CREATE INDEX ix_address_location_hierarchy ON json_normalized.address_components (provincecode, districtcode, wardcode);
CREATE INDEX ix_address_geolocation ON json_normalized.address_components (latitude, longitude)
    WHERE latitude IS NOT NULL AND longitude IS NOT NULL;
CREATE INDEX ix_business_rules_category_active ON json_normalized.business_rules (rulecategory, isactive, priority, executionorder)
    WHERE isactive;
CREATE INDEX ix_validation_field_type ON json_normalized.validation_rules (fieldname, validationtype, isactive)
    WHERE isactive;

-- User profile performance
CREATE INDEX ix_user_profile_email_active ON identity.user_profile (email, isactive)
    WHERE isactive;
CREATE INDEX ix_user_profile_tenantid_role ON identity.user_profile (tenantid, isactive)
    WHERE isactive;
CREATE INDEX ix_user_profile_department ON identity.user_profile (departmentid, isactive)
    WHERE isactive;

-- Document indexes
CREATE INDEX ix_document_hoso_type ON document.document (relatedhosoid, documenttype, isactive)
    WHERE isactive;
CREATE INDEX ix_document_type_status ON document.document (documenttype, processingstatus, createdat DESC);
CREATE INDEX ix_document_signature_status ON document.document (requiressignature, signaturestatus, createdat DESC)
    WHERE requiressignature;

-- Workflow indexes
CREATE INDEX ix_workflow_inst_definition_status ON workflow.workflow_instance (workflowid, status, startedat DESC);
CREATE INDEX ix_workflow_inst_entity ON workflow.workflow_instance (hosoid, status);
CREATE INDEX ix_workflow_inst_active ON workflow.workflow_instance (status, updatedat DESC)
    WHERE status IN ('Running', 'Suspended');

-- TTHC indexes
CREATE INDEX ix_thu_tuc_matthc ON tthc.thu_tuc (matthc)
    WHERE trangthai;
CREATE INDEX ix_thu_tuc_linhvuc ON tthc.thu_tuc (linhvuc, trangthai, ngayhieuluc DESC)
    WHERE trangthai;

-- Audit indexes
CREATE INDEX ix_audit_log_user_action ON audit.audit_log (userid, actiontype, timestamp DESC)
    WHERE userid IS NOT NULL;
CREATE INDEX ix_audit_log_resource ON audit.audit_log (resourcetype, resourceid, timestamp DESC);
CREATE INDEX ix_audit_log_failed_actions ON audit.audit_log (status, actiontype, timestamp DESC)
    WHERE status = 'FAILED';
