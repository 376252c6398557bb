-- The tables of the import.
-- As the document has them, without the DROP before each; a sequence belongs to its column. The two that hold what is imported have no key
-- in the document: here a row has a number, by which a reject names it.
CREATE TABLE public.stg_steps (
    stg_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step_id varchar(255),
    description text,
    owner_team_id integer,
    environment_id integer,
    app_id integer,
    phase_id varchar(255),
    order_number integer,
    duration_minutes integer,
    step_type varchar(50),
    environments text,
    applications text,
    teams_impacted text,
    iteration_types text
);
CREATE TABLE public.stg_step_instructions (
    stg_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instruction_id varchar(255),
    step_id varchar(255),
    instruction_text text,
    order_number integer,
    duration_minutes integer
);
CREATE TABLE public.stg_import_queue_management_iqm (
    iqm_id uuid NOT NULL DEFAULT gen_random_uuid(),
    iqm_request_id uuid NOT NULL,
    iqm_priority integer NOT NULL DEFAULT 5 CHECK ((iqm_priority >= 1) AND (iqm_priority <= 20)),
    iqm_status varchar(20) NOT NULL DEFAULT 'QUEUED' CHECK (iqm_status IN ('QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    iqm_import_type varchar(50) NOT NULL,
    iqm_requested_by varchar(100) NOT NULL,
    iqm_requested_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    iqm_started_at timestamptz,
    iqm_estimated_duration integer,
    iqm_resource_requirements jsonb,
    iqm_configuration jsonb NOT NULL,
    iqm_queue_position integer,
    iqm_assigned_worker varchar(50),
    iqm_created_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    iqm_last_modified_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    iqm_is_active boolean DEFAULT true,
    PRIMARY KEY (iqm_id)
);
CREATE TABLE public.stg_import_resource_locks_irl (
    irl_id serial,
    irl_resource_type varchar(50) NOT NULL,
    irl_resource_id varchar(100) NOT NULL,
    irl_lock_type varchar(20) NOT NULL CHECK (irl_lock_type IN ('EXCLUSIVE', 'SHARED')),
    irl_locked_by_request uuid NOT NULL,
    irl_locked_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    irl_expires_at timestamptz NOT NULL CHECK (irl_expires_at > irl_locked_at),
    irl_created_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    irl_is_active boolean DEFAULT true,
    PRIMARY KEY (irl_id)
);
CREATE TABLE public.stg_scheduled_import_schedules_sis (
    sis_id serial,
    sis_schedule_id uuid NOT NULL DEFAULT gen_random_uuid(),
    sis_schedule_name varchar(255) NOT NULL,
    sis_import_type varchar(50) NOT NULL,
    sis_schedule_expression varchar(100) NOT NULL,
    sis_recurring boolean DEFAULT false,
    sis_priority integer DEFAULT 5 CHECK ((sis_priority >= 1) AND (sis_priority <= 20)),
    sis_created_by varchar(100) NOT NULL,
    sis_status varchar(20) DEFAULT 'SCHEDULED' CHECK (sis_status IN ('SCHEDULED', 'EXECUTING', 'COMPLETED', 'FAILED', 'CANCELLED', 'PAUSED')),
    sis_next_execution timestamptz NOT NULL,
    sis_last_execution timestamptz,
    sis_execution_count integer DEFAULT 0,
    sis_success_count integer DEFAULT 0,
    sis_failure_count integer DEFAULT 0,
    sis_import_configuration jsonb NOT NULL,
    sis_notification_settings jsonb,
    sis_max_retries integer DEFAULT 3,
    sis_retry_delay_minutes integer DEFAULT 15,
    sis_timeout_minutes integer DEFAULT 60,
    sis_created_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    sis_last_modified_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    sis_is_active boolean DEFAULT true,
    PRIMARY KEY (sis_id)
);
CREATE TABLE public.stg_schedule_execution_history_seh (
    seh_id serial,
    sis_id integer NOT NULL,
    seh_execution_id uuid NOT NULL,
    seh_started_at timestamptz NOT NULL,
    seh_completed_at timestamptz,
    seh_status varchar(20) NOT NULL CHECK (seh_status IN ('STARTED', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED')),
    seh_records_processed integer DEFAULT 0,
    seh_error_message text,
    seh_execution_details jsonb,
    seh_created_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (seh_id)
);
CREATE TABLE public.stg_tenant_resource_limits_trl (
    trl_id serial,
    trl_tenant_id varchar(50) NOT NULL,
    trl_resource_type varchar(50) NOT NULL,
    trl_resource_limit integer NOT NULL CHECK (trl_resource_limit > 0),
    trl_resource_unit varchar(20) NOT NULL CHECK (trl_resource_unit IN ('MB', 'COUNT', 'PERCENTAGE', 'GB', 'SECONDS')),
    trl_enforcement_level varchar(20) DEFAULT 'HARD' CHECK (trl_enforcement_level IN ('HARD', 'SOFT', 'ADVISORY')),
    trl_created_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    trl_last_modified_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    trl_is_active boolean DEFAULT true,
    PRIMARY KEY (trl_id)
);
CREATE TABLE public.stg_schedule_resource_reservations_srr (
    srr_id serial,
    sis_id integer NOT NULL,
    srr_resource_type varchar(50) NOT NULL,
    srr_resource_amount integer NOT NULL,
    srr_resource_unit varchar(20) NOT NULL,
    srr_reserved_from timestamptz NOT NULL,
    srr_reserved_until timestamptz NOT NULL CHECK (srr_reserved_until > srr_reserved_from),
    srr_created_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    srr_is_active boolean DEFAULT true,
    PRIMARY KEY (srr_id)
);
CREATE TABLE public.stg_orchestration_dependencies_od (
    od_id serial,
    od_orchestration_id uuid NOT NULL,
    od_depends_on_orchestration uuid NOT NULL,
    od_dependency_type varchar(30) NOT NULL CHECK (od_dependency_type IN ('SEQUENTIAL', 'RESOURCE', 'DATA')),
    od_created_date timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (od_id)
);
COMMENT ON TABLE public.stg_steps IS 'Staging: étapes de migration avec détails d''environnement et d''applications.';
COMMENT ON TABLE public.stg_step_instructions IS 'Staging: instructions détaillées pour chaque step.';
COMMENT ON TABLE public.stg_import_queue_management_iqm IS 'US-034: Priority-based import queue with resource coordination and worker assignment';
COMMENT ON TABLE public.stg_import_resource_locks_irl IS 'US-034: Resource conflict prevention with exclusive/shared locks and expiration handling';
COMMENT ON TABLE public.stg_scheduled_import_schedules_sis IS 'US-034: Recurring import scheduling with cron expressions and execution history';
COMMENT ON TABLE public.stg_schedule_execution_history_seh IS 'US-034: Schedule execution audit trail with performance metrics and error logging';
COMMENT ON TABLE public.stg_tenant_resource_limits_trl IS 'US-034: Multi-tenant resource governance with enforcement levels';
COMMENT ON TABLE public.stg_schedule_resource_reservations_srr IS 'US-034: Schedule resource management with time-based reservations';
COMMENT ON TABLE public.stg_orchestration_dependencies_od IS 'US-034: Import dependency orchestration for execution order management';
