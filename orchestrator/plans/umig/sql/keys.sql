-- The document's foreign keys, each with a name.
ALTER TABLE public.users_usr ADD CONSTRAINT fk_users_usr_rls_id
    FOREIGN KEY (rls_id) REFERENCES public.roles_rls (rls_id);
ALTER TABLE public.migrations_mig ADD CONSTRAINT fk_migrations_mig_usr_id_owner
    FOREIGN KEY (usr_id_owner) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.iterations_ite ADD CONSTRAINT fk_iterations_ite_itt_code
    FOREIGN KEY (itt_code) REFERENCES public.iteration_types_itt (itt_code);
ALTER TABLE public.iterations_ite ADD CONSTRAINT fk_iterations_ite_mig_id
    FOREIGN KEY (mig_id) REFERENCES public.migrations_mig (mig_id);
ALTER TABLE public.iterations_ite ADD CONSTRAINT fk_iterations_ite_plm_id
    FOREIGN KEY (plm_id) REFERENCES public.plans_master_plm (plm_id);
ALTER TABLE public.plans_master_plm ADD CONSTRAINT fk_plans_master_plm_tms_id
    FOREIGN KEY (tms_id) REFERENCES public.teams_tms (tms_id);
ALTER TABLE public.plans_instance_pli ADD CONSTRAINT fk_plans_instance_pli_ite_id
    FOREIGN KEY (ite_id) REFERENCES public.iterations_ite (ite_id);
ALTER TABLE public.plans_instance_pli ADD CONSTRAINT fk_plans_instance_pli_plm_id
    FOREIGN KEY (plm_id) REFERENCES public.plans_master_plm (plm_id);
ALTER TABLE public.plans_instance_pli ADD CONSTRAINT fk_plans_instance_pli_usr_id_owner
    FOREIGN KEY (usr_id_owner) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.sequences_master_sqm ADD CONSTRAINT fk_sequences_master_sqm_plm_id
    FOREIGN KEY (plm_id) REFERENCES public.plans_master_plm (plm_id);
ALTER TABLE public.sequences_master_sqm ADD CONSTRAINT fk_sequences_master_sqm_predecessor_sqm_id
    FOREIGN KEY (predecessor_sqm_id) REFERENCES public.sequences_master_sqm (sqm_id);
ALTER TABLE public.phases_master_phm ADD CONSTRAINT fk_phases_master_phm_sqm_id
    FOREIGN KEY (sqm_id) REFERENCES public.sequences_master_sqm (sqm_id);
ALTER TABLE public.phases_master_phm ADD CONSTRAINT fk_phases_master_phm_predecessor_phm_id
    FOREIGN KEY (predecessor_phm_id) REFERENCES public.phases_master_phm (phm_id);
ALTER TABLE public.steps_master_stm ADD CONSTRAINT fk_steps_master_stm_stt_code
    FOREIGN KEY (stt_code) REFERENCES public.step_types_stt (stt_code);
ALTER TABLE public.steps_master_stm ADD CONSTRAINT fk_steps_master_stm_enr_id_target
    FOREIGN KEY (enr_id_target) REFERENCES public.environment_roles_enr (enr_id);
ALTER TABLE public.steps_master_stm ADD CONSTRAINT fk_steps_master_stm_phm_id
    FOREIGN KEY (phm_id) REFERENCES public.phases_master_phm (phm_id);
ALTER TABLE public.steps_master_stm ADD CONSTRAINT fk_steps_master_stm_enr_id
    FOREIGN KEY (enr_id) REFERENCES public.environment_roles_enr (enr_id);
ALTER TABLE public.steps_master_stm ADD CONSTRAINT fk_steps_master_stm_stm_id_predecessor
    FOREIGN KEY (stm_id_predecessor) REFERENCES public.steps_master_stm (stm_id);
ALTER TABLE public.steps_master_stm ADD CONSTRAINT fk_steps_master_stm_tms_id_owner
    FOREIGN KEY (tms_id_owner) REFERENCES public.teams_tms (tms_id);
ALTER TABLE public.controls_master_ctm ADD CONSTRAINT fk_controls_master_ctm_phm_id
    FOREIGN KEY (phm_id) REFERENCES public.phases_master_phm (phm_id);
ALTER TABLE public.instructions_master_inm ADD CONSTRAINT fk_instructions_master_inm_stm_id
    FOREIGN KEY (stm_id) REFERENCES public.steps_master_stm (stm_id);
ALTER TABLE public.instructions_master_inm ADD CONSTRAINT fk_instructions_master_inm_tms_id
    FOREIGN KEY (tms_id) REFERENCES public.teams_tms (tms_id);
ALTER TABLE public.instructions_master_inm ADD CONSTRAINT fk_instructions_master_inm_ctm_id
    FOREIGN KEY (ctm_id) REFERENCES public.controls_master_ctm (ctm_id);
ALTER TABLE public.sequences_instance_sqi ADD CONSTRAINT fk_sequences_instance_sqi_sqm_id
    FOREIGN KEY (sqm_id) REFERENCES public.sequences_master_sqm (sqm_id);
ALTER TABLE public.sequences_instance_sqi ADD CONSTRAINT fk_sequences_instance_sqi_pli_id
    FOREIGN KEY (pli_id) REFERENCES public.plans_instance_pli (pli_id);
ALTER TABLE public.phases_instance_phi ADD CONSTRAINT fk_phases_instance_phi_sqi_id
    FOREIGN KEY (sqi_id) REFERENCES public.sequences_instance_sqi (sqi_id);
ALTER TABLE public.phases_instance_phi ADD CONSTRAINT fk_phases_instance_phi_phm_id
    FOREIGN KEY (phm_id) REFERENCES public.phases_master_phm (phm_id);
ALTER TABLE public.steps_instance_sti ADD CONSTRAINT fk_steps_instance_sti_phi_id
    FOREIGN KEY (phi_id) REFERENCES public.phases_instance_phi (phi_id);
ALTER TABLE public.steps_instance_sti ADD CONSTRAINT fk_steps_instance_sti_enr_id
    FOREIGN KEY (enr_id) REFERENCES public.environment_roles_enr (enr_id);
ALTER TABLE public.steps_instance_sti ADD CONSTRAINT fk_steps_instance_sti_stm_id
    FOREIGN KEY (stm_id) REFERENCES public.steps_master_stm (stm_id);
ALTER TABLE public.controls_instance_cti ADD CONSTRAINT fk_controls_instance_cti_usr_id_it_validator
    FOREIGN KEY (usr_id_it_validator) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.controls_instance_cti ADD CONSTRAINT fk_controls_instance_cti_usr_id_biz_validator
    FOREIGN KEY (usr_id_biz_validator) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.controls_instance_cti ADD CONSTRAINT fk_controls_instance_cti_ctm_id
    FOREIGN KEY (ctm_id) REFERENCES public.controls_master_ctm (ctm_id);
ALTER TABLE public.controls_instance_cti ADD CONSTRAINT fk_controls_instance_cti_phi_id
    FOREIGN KEY (phi_id) REFERENCES public.phases_instance_phi (phi_id);
ALTER TABLE public.instructions_instance_ini ADD CONSTRAINT fk_instructions_instance_ini_usr_id_completed_by
    FOREIGN KEY (usr_id_completed_by) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.instructions_instance_ini ADD CONSTRAINT fk_instructions_instance_ini_inm_id
    FOREIGN KEY (inm_id) REFERENCES public.instructions_master_inm (inm_id);
ALTER TABLE public.instructions_instance_ini ADD CONSTRAINT fk_instructions_instance_ini_sti_id
    FOREIGN KEY (sti_id) REFERENCES public.steps_instance_sti (sti_id);
ALTER TABLE public.environments_env_x_applications_app ADD CONSTRAINT fk_environments_env_x_applications_app_app_id
    FOREIGN KEY (app_id) REFERENCES public.applications_app (app_id);
ALTER TABLE public.environments_env_x_applications_app ADD CONSTRAINT fk_environments_env_x_applications_app_env_id
    FOREIGN KEY (env_id) REFERENCES public.environments_env (env_id);
ALTER TABLE public.environments_env_x_iterations_ite ADD CONSTRAINT fk_environments_env_x_iterations_ite_env_id
    FOREIGN KEY (env_id) REFERENCES public.environments_env (env_id);
ALTER TABLE public.environments_env_x_iterations_ite ADD CONSTRAINT fk_environments_env_x_iterations_ite_ite_id
    FOREIGN KEY (ite_id) REFERENCES public.iterations_ite (ite_id);
ALTER TABLE public.environments_env_x_iterations_ite ADD CONSTRAINT fk_environments_env_x_iterations_ite_enr_id
    FOREIGN KEY (enr_id) REFERENCES public.environment_roles_enr (enr_id);
ALTER TABLE public.steps_master_stm_x_iteration_types_itt ADD CONSTRAINT fk_steps_master_stm_x_iteration_types_itt_stm_id
    FOREIGN KEY (stm_id) REFERENCES public.steps_master_stm (stm_id) ON DELETE CASCADE;
ALTER TABLE public.steps_master_stm_x_iteration_types_itt ADD CONSTRAINT fk_steps_master_stm_x_iteration_types_itt_itt_code
    FOREIGN KEY (itt_code) REFERENCES public.iteration_types_itt (itt_code) ON DELETE CASCADE;
ALTER TABLE public.steps_master_stm_x_teams_tms_impacted ADD CONSTRAINT fk_steps_master_stm_x_teams_tms_impacted_tms_id
    FOREIGN KEY (tms_id) REFERENCES public.teams_tms (tms_id) ON DELETE CASCADE;
ALTER TABLE public.steps_master_stm_x_teams_tms_impacted ADD CONSTRAINT fk_steps_master_stm_x_teams_tms_impacted_stm_id
    FOREIGN KEY (stm_id) REFERENCES public.steps_master_stm (stm_id) ON DELETE CASCADE;
ALTER TABLE public.teams_tms_x_applications_app ADD CONSTRAINT fk_teams_tms_x_applications_app_tms_id
    FOREIGN KEY (tms_id) REFERENCES public.teams_tms (tms_id);
ALTER TABLE public.teams_tms_x_applications_app ADD CONSTRAINT fk_teams_tms_x_applications_app_app_id
    FOREIGN KEY (app_id) REFERENCES public.applications_app (app_id);
ALTER TABLE public.teams_tms_x_users_usr ADD CONSTRAINT fk_teams_tms_x_users_usr_tms_id
    FOREIGN KEY (tms_id) REFERENCES public.teams_tms (tms_id) ON DELETE CASCADE;
ALTER TABLE public.teams_tms_x_users_usr ADD CONSTRAINT fk_teams_tms_x_users_usr_usr_id
    FOREIGN KEY (usr_id) REFERENCES public.users_usr (usr_id) ON DELETE CASCADE;
ALTER TABLE public.audit_log_aud ADD CONSTRAINT fk_audit_log_aud_usr_id
    FOREIGN KEY (usr_id) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.step_instance_comments_sic ADD CONSTRAINT fk_step_instance_comments_sic_sti_id
    FOREIGN KEY (sti_id) REFERENCES public.steps_instance_sti (sti_id) ON DELETE CASCADE;
ALTER TABLE public.step_instance_comments_sic ADD CONSTRAINT fk_step_instance_comments_sic_created_by
    FOREIGN KEY (created_by) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.step_instance_comments_sic ADD CONSTRAINT fk_step_instance_comments_sic_updated_by
    FOREIGN KEY (updated_by) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.step_pilot_comments_spc ADD CONSTRAINT fk_step_pilot_comments_spc_created_by
    FOREIGN KEY (created_by) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.step_pilot_comments_spc ADD CONSTRAINT fk_step_pilot_comments_spc_stm_id
    FOREIGN KEY (stm_id) REFERENCES public.steps_master_stm (stm_id) ON DELETE CASCADE;
ALTER TABLE public.step_pilot_comments_spc ADD CONSTRAINT fk_step_pilot_comments_spc_updated_by
    FOREIGN KEY (updated_by) REFERENCES public.users_usr (usr_id);
ALTER TABLE public.system_configuration_scf ADD CONSTRAINT fk_system_configuration_scf_env_id
    FOREIGN KEY (env_id) REFERENCES public.environments_env (env_id);
ALTER TABLE public.labels_lbl ADD CONSTRAINT fk_labels_lbl_mig_id
    FOREIGN KEY (mig_id) REFERENCES public.migrations_mig (mig_id) ON DELETE CASCADE;
ALTER TABLE public.labels_lbl_x_steps_master_stm ADD CONSTRAINT fk_labels_lbl_x_steps_master_stm_lbl_id
    FOREIGN KEY (lbl_id) REFERENCES public.labels_lbl (lbl_id) ON DELETE CASCADE;
ALTER TABLE public.labels_lbl_x_steps_master_stm ADD CONSTRAINT fk_labels_lbl_x_steps_master_stm_stm_id
    FOREIGN KEY (stm_id) REFERENCES public.steps_master_stm (stm_id) ON DELETE CASCADE;
ALTER TABLE public.labels_lbl_x_applications_app ADD CONSTRAINT fk_labels_lbl_x_applications_app_app_id
    FOREIGN KEY (app_id) REFERENCES public.applications_app (app_id) ON DELETE CASCADE;
ALTER TABLE public.labels_lbl_x_applications_app ADD CONSTRAINT fk_labels_lbl_x_applications_app_lbl_id
    FOREIGN KEY (lbl_id) REFERENCES public.labels_lbl (lbl_id) ON DELETE CASCADE;
ALTER TABLE public.labels_lbl_x_controls_master_ctm ADD CONSTRAINT fk_labels_lbl_x_controls_master_ctm_lbl_id
    FOREIGN KEY (lbl_id) REFERENCES public.labels_lbl (lbl_id) ON DELETE CASCADE;
ALTER TABLE public.labels_lbl_x_controls_master_ctm ADD CONSTRAINT fk_labels_lbl_x_controls_master_ctm_ctm_id
    FOREIGN KEY (ctm_id) REFERENCES public.controls_master_ctm (ctm_id) ON DELETE CASCADE;
