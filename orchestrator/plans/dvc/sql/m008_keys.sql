-- The foreign keys of migration 008.
ALTER TABLE "case".hoso ADD CONSTRAINT fk_hoso_tthc
    FOREIGN KEY (tthcid) REFERENCES tthc.thu_tuc (tthcid);
ALTER TABLE "case".hoso ADD CONSTRAINT fk_hoso_submitter
    FOREIGN KEY (nguoinophoso) REFERENCES identity.user_profile (userid);
ALTER TABLE "case".hoso ADD CONSTRAINT fk_hoso_processor
    FOREIGN KEY (canboxuly) REFERENCES identity.user_profile (userid);
ALTER TABLE "case".hoso ADD CONSTRAINT fk_hoso_office
    FOREIGN KEY (donvitiepnhan) REFERENCES system.office (officeid);
ALTER TABLE "case".task_assignment ADD CONSTRAINT fk_task_assign_hoso
    FOREIGN KEY (hosoid) REFERENCES "case".hoso (hosoid) ON DELETE CASCADE;
ALTER TABLE "case".task_assignment ADD CONSTRAINT fk_task_assign_user
    FOREIGN KEY (assigneduserid) REFERENCES identity.user_profile (userid);
ALTER TABLE "case".task_assignment ADD CONSTRAINT fk_task_assign_assignedby
    FOREIGN KEY (assignedby) REFERENCES identity.user_profile (userid);
ALTER TABLE "case".status_history ADD CONSTRAINT fk_status_hist_hoso
    FOREIGN KEY (hosoid) REFERENCES "case".hoso (hosoid) ON DELETE CASCADE;
ALTER TABLE "case".status_history ADD CONSTRAINT fk_status_hist_changedby
    FOREIGN KEY (changedby) REFERENCES identity.user_profile (userid);
ALTER TABLE "case".sla_tracking ADD CONSTRAINT fk_sla_track_hoso
    FOREIGN KEY (hosoid) REFERENCES "case".hoso (hosoid) ON DELETE CASCADE;
ALTER TABLE "case".sla_tracking ADD CONSTRAINT fk_sla_track_escalatedto
    FOREIGN KEY (escalatedto) REFERENCES identity.user_profile (userid);
ALTER TABLE "case".citizen_feedback ADD CONSTRAINT fk_citizen_feedback_hoso
    FOREIGN KEY (hosoid) REFERENCES "case".hoso (hosoid) ON DELETE CASCADE;
ALTER TABLE "case".citizen_feedback ADD CONSTRAINT fk_citizen_feedback_citizen
    FOREIGN KEY (citizenid) REFERENCES identity.user_profile (userid);
ALTER TABLE "case".citizen_feedback ADD CONSTRAINT fk_citizen_feedback_office
    FOREIGN KEY (serviceofficeid) REFERENCES system.office (officeid);
ALTER TABLE postal.shipment_tracking ADD CONSTRAINT fk_shipment_hoso
    FOREIGN KEY (hosoid) REFERENCES "case".hoso (hosoid) ON DELETE CASCADE;
ALTER TABLE postal.shipment_tracking ADD CONSTRAINT fk_shipment_provider
    FOREIGN KEY (providerid) REFERENCES postal.postal_provider (providerid);
ALTER TABLE postal.shipment_tracking ADD CONSTRAINT fk_shipment_createdby
    FOREIGN KEY (createdby) REFERENCES identity.user_profile (userid);
ALTER TABLE postal.delivery_confirmation ADD CONSTRAINT fk_delivery_conf_shipment
    FOREIGN KEY (shipmentid) REFERENCES postal.shipment_tracking (shipmentid) ON DELETE CASCADE;
ALTER TABLE postal.return_handling ADD CONSTRAINT fk_return_handling_shipment
    FOREIGN KEY (shipmentid) REFERENCES postal.shipment_tracking (shipmentid) ON DELETE CASCADE;
ALTER TABLE notification.notification_queue ADD CONSTRAINT fk_notif_queue_template
    FOREIGN KEY (templateid) REFERENCES notification.notification_templates (templateid);
ALTER TABLE system.lgsp_field_mapping ADD CONSTRAINT fk_lgsp_field_entity
    FOREIGN KEY (entitymappingid) REFERENCES system.lgsp_entity_mapping (mappingid) ON DELETE CASCADE;
ALTER TABLE json_normalized.business_rules ADD CONSTRAINT fk_business_rules_createdby
    FOREIGN KEY (createdby) REFERENCES identity.user_profile (userid);
ALTER TABLE json_normalized.business_rules ADD CONSTRAINT fk_business_rules_updatedby
    FOREIGN KEY (updatedby) REFERENCES identity.user_profile (userid);
ALTER TABLE json_normalized.validation_rules ADD CONSTRAINT fk_validation_rules_createdby
    FOREIGN KEY (createdby) REFERENCES identity.user_profile (userid);
ALTER TABLE json_normalized.validation_rules ADD CONSTRAINT fk_validation_rules_updatedby
    FOREIGN KEY (updatedby) REFERENCES identity.user_profile (userid);
