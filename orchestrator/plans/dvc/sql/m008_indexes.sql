-- Not in the document: foreign keys that no index served. Without one, each deletion of a parent reads the whole table.
CREATE INDEX fki_hoso_donvitiepnhan ON "case".hoso (donvitiepnhan);
CREATE INDEX fki_task_assignment_assignedby ON "case".task_assignment (assignedby);
CREATE INDEX fki_sla_tracking_hosoid ON "case".sla_tracking (hosoid);
CREATE INDEX fki_sla_tracking_escalatedto ON "case".sla_tracking (escalatedto);
CREATE INDEX fki_citizen_feedback_hosoid ON "case".citizen_feedback (hosoid);
CREATE INDEX fki_citizen_feedback_citizenid ON "case".citizen_feedback (citizenid);
CREATE INDEX fki_shipment_tracking_providerid ON postal.shipment_tracking (providerid);
CREATE INDEX fki_shipment_tracking_createdby ON postal.shipment_tracking (createdby);
CREATE INDEX fki_delivery_confirmation_shipmentid ON postal.delivery_confirmation (shipmentid);
CREATE INDEX fki_return_handling_shipmentid ON postal.return_handling (shipmentid);
CREATE INDEX fki_notification_queue_templateid ON notification.notification_queue (templateid);
CREATE INDEX fki_lgsp_field_mapping_entitymappingid ON system.lgsp_field_mapping (entitymappingid);
CREATE INDEX fki_business_rules_createdby ON json_normalized.business_rules (createdby);
CREATE INDEX fki_business_rules_updatedby ON json_normalized.business_rules (updatedby);
CREATE INDEX fki_validation_rules_createdby ON json_normalized.validation_rules (createdby);
CREATE INDEX fki_validation_rules_updatedby ON json_normalized.validation_rules (updatedby);
