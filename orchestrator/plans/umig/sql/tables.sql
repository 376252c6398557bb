-- Liquibase's own two tables, registries, instructions, comments, labels, and the tables between them.
-- As the document has them, without the DROP before each; a sequence belongs to its column.
CREATE TABLE public.databasechangelog (
    id varchar(255) NOT NULL,
    author varchar(255) NOT NULL,
    filename varchar(255) NOT NULL,
    dateexecuted timestamp NOT NULL,
    orderexecuted integer NOT NULL,
    exectype varchar(10) NOT NULL,
    md5sum varchar(35),
    description varchar(255),
    comments varchar(255),
    tag varchar(255),
    liquibase varchar(20),
    contexts varchar(255),
    labels varchar(255),
    deployment_id varchar(10)
);
CREATE TABLE public.databasechangeloglock (
    id integer NOT NULL,
    locked boolean NOT NULL,
    lockgranted timestamp,
    lockedby varchar(255),
    PRIMARY KEY (id)
);
CREATE TABLE public.applications_app (
    app_id serial,
    app_code varchar(50) NOT NULL,
    app_name varchar(64),
    app_description text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (app_id)
);
CREATE TABLE public.environments_env (
    env_id serial,
    env_code varchar(10),
    env_name varchar(64),
    env_description text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (env_id)
);
CREATE TABLE public.instructions_master_inm (
    inm_id uuid NOT NULL DEFAULT gen_random_uuid(),
    stm_id uuid NOT NULL,
    tms_id integer,
    ctm_id uuid,
    inm_order integer NOT NULL,
    inm_body text,
    inm_duration_minutes integer,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (inm_id)
);
CREATE TABLE public.instructions_instance_ini (
    ini_id uuid NOT NULL DEFAULT gen_random_uuid(),
    sti_id uuid NOT NULL,
    inm_id uuid NOT NULL,
    usr_id_completed_by integer,
    ini_order integer,
    ini_body text,
    ini_duration_minutes integer,
    ini_is_completed boolean DEFAULT false,
    ini_completed_at timestamptz,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (ini_id)
);
CREATE TABLE public.labels_lbl (
    lbl_id serial,
    mig_id uuid NOT NULL,
    lbl_name text NOT NULL,
    lbl_description text,
    lbl_color varchar(7),
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    created_by integer,
    PRIMARY KEY (lbl_id)
);
CREATE TABLE public.email_templates_emt (
    emt_id uuid NOT NULL DEFAULT gen_random_uuid(),
    emt_type varchar(50) CHECK (emt_type IN ('STEP_NOTIFICATION', 'MIGRATION_UPDATE', 'SYSTEM_ALERT')),
    emt_name varchar(255),
    emt_subject text,
    emt_body_html text,
    emt_body_text text,
    emt_is_active boolean DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz,
    created_by varchar(255),
    updated_by varchar(255),
    PRIMARY KEY (emt_id)
);
CREATE TABLE public.step_instance_comments_sic (
    sic_id serial,
    sti_id uuid NOT NULL,
    comment_body text,
    created_by integer,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by integer,
    updated_at timestamptz,
    PRIMARY KEY (sic_id)
);
CREATE TABLE public.step_pilot_comments_spc (
    spc_id serial,
    stm_id uuid NOT NULL,
    comment_body text,
    author varchar(255),
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    visibility varchar(50),
    created_by integer,
    updated_by integer,
    PRIMARY KEY (spc_id)
);
CREATE TABLE public.system_configuration_scf (
    scf_id uuid NOT NULL DEFAULT gen_random_uuid(),
    env_id integer NOT NULL,
    scf_key varchar(255) NOT NULL,
    scf_category varchar(50) CHECK (scf_category IN ('MACRO_LOCATION', 'API_CONFIG', 'SYSTEM_SETTING')),
    scf_value text,
    scf_description text,
    scf_is_active boolean DEFAULT true,
    scf_is_system_managed boolean DEFAULT false,
    scf_data_type varchar(20) DEFAULT 'STRING' CHECK (scf_data_type IN ('STRING', 'NUMBER', 'BOOLEAN', 'JSON')),
    scf_validation_pattern varchar(500),
    created_by varchar(255),
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255),
    updated_at timestamptz,
    PRIMARY KEY (scf_id)
);
CREATE TABLE public.audit_log_aud (
    aud_id uuid NOT NULL DEFAULT gen_random_uuid(),
    usr_id integer,
    aud_action varchar(100),
    aud_entity_type varchar(100),
    aud_entity_id varchar(255),
    aud_details jsonb,
    aud_timestamp timestamptz DEFAULT CURRENT_TIMESTAMP,
    aud_ip_address varchar(45),
    aud_user_agent text,
    PRIMARY KEY (aud_id)
);
CREATE TABLE public.teams_tms_x_users_usr (
    tms_x_usr_id serial,
    tms_id integer NOT NULL,
    usr_id integer NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255),
    PRIMARY KEY (tms_x_usr_id)
);
CREATE TABLE public.teams_tms_x_applications_app (
    tms_id integer NOT NULL,
    app_id integer NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (tms_id, app_id)
);
CREATE TABLE public.environments_env_x_applications_app (
    env_id integer NOT NULL,
    app_id integer NOT NULL,
    PRIMARY KEY (env_id, app_id)
);
CREATE TABLE public.environments_env_x_iterations_ite (
    env_id integer NOT NULL,
    ite_id uuid NOT NULL,
    enr_id integer,
    PRIMARY KEY (env_id, ite_id)
);
CREATE TABLE public.steps_master_stm_x_iteration_types_itt (
    stm_id uuid NOT NULL,
    itt_code varchar(10) NOT NULL,
    PRIMARY KEY (stm_id, itt_code)
);
CREATE TABLE public.steps_master_stm_x_teams_tms_impacted (
    stm_id uuid NOT NULL,
    tms_id integer NOT NULL,
    PRIMARY KEY (stm_id, tms_id)
);
CREATE TABLE public.labels_lbl_x_steps_master_stm (
    lbl_x_stm_id serial,
    lbl_id integer NOT NULL,
    stm_id uuid NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255),
    PRIMARY KEY (lbl_x_stm_id)
);
CREATE TABLE public.labels_lbl_x_applications_app (
    lbl_x_app_id serial,
    lbl_id integer NOT NULL,
    app_id integer NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255),
    PRIMARY KEY (lbl_x_app_id)
);
CREATE TABLE public.labels_lbl_x_controls_master_ctm (
    lbl_x_ctm_id serial,
    lbl_id integer NOT NULL,
    ctm_id uuid NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255),
    PRIMARY KEY (lbl_x_ctm_id)
);
