-- Indexes on the new keys and on what they lead to. A predicate takes constants only: that 1, 2, 9 and 10 are the statuses meant, the check
-- ids_of_active_statuses says by name.
CREATE INDEX idx_migrations_mig_status_id ON public.migrations_mig (mig_status_id);
CREATE INDEX idx_iterations_ite_status_id ON public.iterations_ite (ite_status_id);
CREATE INDEX idx_plans_master_plm_status_id ON public.plans_master_plm (plm_status_id);
CREATE INDEX idx_plans_instance_pli_status_id ON public.plans_instance_pli (pli_status_id);
CREATE INDEX idx_steps_instance_sti_status_id ON public.steps_instance_sti (sti_status_id);
CREATE INDEX idx_sequences_instance_sqi_status_id ON public.sequences_instance_sqi (sqi_status_id);
CREATE INDEX idx_phases_instance_phi_status_id ON public.phases_instance_phi (phi_status_id);
CREATE INDEX idx_controls_instance_cti_status_id ON public.controls_instance_cti (cti_status_id);
CREATE INDEX idx_migrations_mig_type_id ON public.migrations_mig (mig_type_id);
CREATE INDEX idx_active_migrations ON public.migrations_mig (mig_id) WHERE mig_status_id IN (1, 2);
CREATE INDEX idx_active_iterations ON public.iterations_ite (ite_id) WHERE ite_status_id IN (9, 10);
CREATE INDEX idx_status_sts_type ON public.status_sts (sts_type);
CREATE INDEX idx_status_sts_name ON public.status_sts (sts_name);
CREATE INDEX idx_migration_types_display_order ON public.migration_types_mit (mit_display_order, mit_active);
CREATE INDEX idx_migration_types_active ON public.migration_types_mit (mit_active);
