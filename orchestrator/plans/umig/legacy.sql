-- UMIG before its version 2.4: 18 of the tables, with the status as a word, small and dirty. Every kind of dirt is named
-- where it is made; the acceptance test counts it beforehand.

CREATE TABLE public.step_types_stt (
    stt_code varchar(3) NOT NULL,
    stt_name varchar(50) NOT NULL,
    stt_description text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (stt_code)
);
CREATE TABLE public.iteration_types_itt (
    itt_code varchar(10) NOT NULL,
    itt_name varchar(100) NOT NULL,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (itt_code)
);
CREATE TABLE public.roles_rls (
    rls_id serial,
    rls_code varchar(10),
    rls_description text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (rls_id)
);
CREATE TABLE public.environment_roles_enr (
    enr_id serial,
    enr_name varchar(50) NOT NULL,
    enr_description text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (enr_id)
);
CREATE TABLE public.teams_tms (
    tms_id serial,
    tms_name varchar(64) NOT NULL,
    tms_email varchar(255),
    tms_description text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (tms_id)
);
CREATE TABLE public.users_usr (
    usr_id serial,
    usr_code varchar(3) NOT NULL,
    usr_first_name varchar(50) NOT NULL,
    usr_last_name varchar(50) NOT NULL,
    usr_email varchar(255) NOT NULL,
    usr_is_admin boolean DEFAULT false,
    rls_id integer,
    usr_active boolean NOT NULL DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255) DEFAULT 'system',
    updated_by varchar(255) DEFAULT 'system',
    usr_confluence_user_id varchar(255),
    PRIMARY KEY (usr_id)
);
CREATE TABLE public.migrations_mig (
    mig_id uuid NOT NULL DEFAULT gen_random_uuid(),
    usr_id_owner integer NOT NULL,
    mig_name varchar(255) NOT NULL,
    mig_description text,
    mig_type varchar(50) NOT NULL,
    mig_start_date date,
    mig_end_date date,
    mig_business_cutover_date date,
    mig_status varchar(50),
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (mig_id)
);
CREATE TABLE public.iterations_ite (
    ite_id uuid NOT NULL DEFAULT gen_random_uuid(),
    mig_id uuid NOT NULL,
    plm_id uuid,
    itt_code varchar(10) NOT NULL,
    ite_name varchar(255) NOT NULL,
    ite_description text,
    ite_start_date date,
    ite_end_date date,
    ite_status varchar(50),
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (ite_id)
);
CREATE TABLE public.plans_master_plm (
    plm_id uuid NOT NULL DEFAULT gen_random_uuid(),
    tms_id integer NOT NULL,
    plm_name varchar(255) NOT NULL,
    plm_description text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    plm_status varchar(50),
    PRIMARY KEY (plm_id)
);
CREATE TABLE public.sequences_master_sqm (
    sqm_id uuid NOT NULL DEFAULT gen_random_uuid(),
    plm_id uuid NOT NULL,
    sqm_order integer,
    sqm_name varchar(255),
    sqm_description text,
    predecessor_sqm_id uuid,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (sqm_id)
);
CREATE TABLE public.phases_master_phm (
    phm_id uuid NOT NULL DEFAULT gen_random_uuid(),
    sqm_id uuid NOT NULL,
    phm_order integer,
    phm_name varchar(255),
    phm_description text,
    predecessor_phm_id uuid,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (phm_id)
);
CREATE TABLE public.steps_master_stm (
    stm_id uuid NOT NULL DEFAULT gen_random_uuid(),
    phm_id uuid NOT NULL,
    tms_id_owner integer,
    stt_code varchar(3),
    stm_number integer,
    stm_code varchar(50),
    stm_name varchar(255),
    stm_description text,
    stm_duration_minutes integer,
    stm_id_predecessor uuid,
    enr_id_target integer,
    enr_id integer,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (stm_id)
);
CREATE TABLE public.controls_master_ctm (
    ctm_id uuid NOT NULL DEFAULT gen_random_uuid(),
    phm_id uuid NOT NULL,
    ctm_code varchar(50),
    ctm_order integer,
    ctm_name varchar(255),
    ctm_description text,
    ctm_type varchar(50),
    ctm_is_critical boolean DEFAULT false,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (ctm_id)
);
CREATE TABLE public.plans_instance_pli (
    pli_id uuid NOT NULL DEFAULT gen_random_uuid(),
    plm_id uuid NOT NULL,
    ite_id uuid NOT NULL,
    usr_id_owner integer,
    pli_name varchar(255),
    pli_description text,
    pli_start_time timestamptz,
    pli_end_time timestamptz,
    pli_status varchar(50),
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (pli_id)
);
CREATE TABLE public.steps_instance_sti (
    sti_id uuid NOT NULL DEFAULT gen_random_uuid(),
    phi_id uuid NOT NULL,
    stm_id uuid NOT NULL,
    sti_start_time timestamptz,
    sti_end_time timestamptz,
    sti_id_predecessor uuid,
    sti_name varchar(255),
    sti_description text,
    sti_duration_minutes integer,
    sti_status varchar(50),
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    enr_id integer,
    PRIMARY KEY (sti_id)
);
CREATE TABLE public.sequences_instance_sqi (
    sqi_id uuid NOT NULL DEFAULT gen_random_uuid(),
    pli_id uuid NOT NULL,
    sqm_id uuid NOT NULL,
    sqi_status varchar(50),
    sqi_name varchar(255),
    sqi_description text,
    sqi_order integer,
    predecessor_sqi_id uuid,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (sqi_id)
);
CREATE TABLE public.phases_instance_phi (
    phi_id uuid NOT NULL DEFAULT gen_random_uuid(),
    sqi_id uuid NOT NULL,
    phm_id uuid NOT NULL,
    phi_status varchar(50),
    phi_order integer,
    phi_name varchar(255),
    phi_description text,
    predecessor_phi_id uuid,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (phi_id)
);
CREATE TABLE public.controls_instance_cti (
    cti_id uuid NOT NULL DEFAULT gen_random_uuid(),
    phi_id uuid NOT NULL,
    ctm_id uuid NOT NULL,
    usr_id_it_validator integer,
    usr_id_biz_validator integer,
    cti_status varchar(50),
    cti_order integer,
    cti_name varchar(255),
    cti_description text,
    cti_type varchar(50),
    cti_is_critical boolean,
    cti_code text,
    created_by varchar(255) DEFAULT 'system',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_by varchar(255) DEFAULT 'system',
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (cti_id)
);
CREATE UNIQUE INDEX roles_rls_rls_code_key ON public.roles_rls (rls_code);
CREATE UNIQUE INDEX environment_roles_enr_enr_name_key ON public.environment_roles_enr (enr_name);
CREATE UNIQUE INDEX users_usr_usr_code_key ON public.users_usr (usr_code);
CREATE UNIQUE INDEX users_usr_usr_email_key ON public.users_usr (usr_email);
CREATE UNIQUE INDEX steps_master_stm_phm_id_stt_code_stm_number_key ON public.steps_master_stm (phm_id, stt_code, stm_number);
CREATE UNIQUE INDEX uq_ctm_code ON public.controls_master_ctm (ctm_code);

INSERT INTO public.roles_rls (rls_code, rls_description) VALUES ('ADMIN', 'Administrator'), ('NORMAL', 'User'), ('PILOT', 'Pilot');
INSERT INTO public.users_usr (usr_code, usr_first_name, usr_last_name, usr_email, rls_id)
SELECT 'U' || lpad(n::text, 2, '0'), 'First' || n, 'Last' || n, 'user' || n || '@example.com', 1 + n % 3 FROM generate_series(1, 12) AS n;
INSERT INTO public.teams_tms (tms_name, tms_email) SELECT 'Team ' || n, 'team' || n || '@example.com' FROM generate_series(1, 4) AS n;
INSERT INTO public.iteration_types_itt (itt_code, itt_name) VALUES ('RUN', 'Run'), ('DR', 'Dress rehearsal'), ('CUTOVER', 'Cutover');
INSERT INTO public.step_types_stt (stt_code, stt_name) VALUES ('DB', 'Database'), ('APP', 'Application'), ('CHK', 'Check');
INSERT INTO public.environment_roles_enr (enr_name) VALUES ('TEST'), ('BACKUP'), ('PROD');

-- A uuid that can be told by its number: kind of row, then the number.
CREATE FUNCTION public.umig_id(kind text, n bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$ SELECT md5(kind || n)::uuid $$;

-- Seven spellings, NULL (nothing said: nothing in the new column), '' and blanks (two rejects of each table with 20 rows), and words
-- that nobody has listed.
CREATE FUNCTION public.umig_word(n bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT (ARRAY['PLANNING', 'planning', ' Planning ', 'In Progress', 'in-progress', 'IN_PROGRESS', 'Completed', NULL, 'On hold', 'odd Word'])[1 + n % 10]
$$;

INSERT INTO public.migrations_mig (mig_id, usr_id_owner, mig_name, mig_type, mig_start_date, mig_status)
SELECT public.umig_id('mig', n), 1 + n % 12, 'Migration ' || n,
       (ARRAY['APPLICATION', 'application', ' Database ', 'Network', 'Branch closure'])[1 + n % 5],  -- the last one is no type of the eight
       date '2025-01-01' + n::integer, public.umig_word(n)
FROM generate_series(1, 30) AS n;
INSERT INTO public.migrations_mig (mig_id, usr_id_owner, mig_name, mig_type, mig_status)
VALUES (public.umig_id('mig', 31), 1, 'Of no status', 'DATABASE', ''),  -- a reject
       (public.umig_id('mig', 32), 1, 'Of a blank status', 'DATABASE', '   '),  -- a reject
       (public.umig_id('mig', 33), 1, 'Of no type', '', 'PLANNING'),  -- a reject
       (public.umig_id('mig', 34), 1, 'Of a long type', 'a type of which nobody has heard', 'PLANNING');  -- a reject

INSERT INTO public.plans_master_plm (plm_id, tms_id, plm_name, plm_status)
SELECT public.umig_id('plm', n), 1 + n % 4, 'Plan ' || n, public.umig_word(n) FROM generate_series(1, 12) AS n;
INSERT INTO public.iterations_ite (ite_id, mig_id, plm_id, itt_code, ite_name, ite_status)
SELECT public.umig_id('ite', n), public.umig_id('mig', 1 + n % 30), public.umig_id('plm', 1 + n % 12),
       (ARRAY['RUN', 'DR', 'CUTOVER'])[1 + n % 3], 'Iteration ' || n, CASE WHEN n > 40 THEN '' ELSE public.umig_word(n) END  -- two rejects
FROM generate_series(1, 42) AS n;
INSERT INTO public.plans_instance_pli (pli_id, plm_id, ite_id, usr_id_owner, pli_name, pli_status)
SELECT public.umig_id('pli', n), public.umig_id('plm', 1 + n % 12), public.umig_id('ite', n), 1 + n % 12, 'Plan of ' || n, public.umig_word(n)
FROM generate_series(1, 42) AS n;
INSERT INTO public.sequences_master_sqm (sqm_id, plm_id, sqm_order, sqm_name)
SELECT public.umig_id('sqm', n), public.umig_id('plm', n), 1, 'Sequence ' || n FROM generate_series(1, 12) AS n;
INSERT INTO public.sequences_instance_sqi (sqi_id, pli_id, sqm_id, sqi_status, sqi_order)
SELECT public.umig_id('sqi', n), public.umig_id('pli', n), public.umig_id('sqm', 1 + n % 12), public.umig_word(n), 1 FROM generate_series(1, 42) AS n;
INSERT INTO public.phases_master_phm (phm_id, sqm_id, phm_order, phm_name)
SELECT public.umig_id('phm', n), public.umig_id('sqm', n), 1, 'Phase ' || n FROM generate_series(1, 12) AS n;
INSERT INTO public.phases_instance_phi (phi_id, sqi_id, phm_id, phi_status, phi_order)
SELECT public.umig_id('phi', n), public.umig_id('sqi', n), public.umig_id('phm', 1 + n % 12), public.umig_word(n), 1 FROM generate_series(1, 42) AS n;
INSERT INTO public.steps_master_stm (stm_id, phm_id, tms_id_owner, stt_code, stm_number, stm_name, enr_id)
SELECT public.umig_id('stm', n), public.umig_id('phm', 1 + n % 12), 1 + n % 4, (ARRAY['DB', 'APP', 'CHK'])[1 + n % 3], n, 'Step ' || n, 1 + n % 3
FROM generate_series(1, 24) AS n;
INSERT INTO public.steps_instance_sti (sti_id, phi_id, stm_id, sti_status, sti_name, enr_id)
SELECT public.umig_id('sti', n), public.umig_id('phi', 1 + n % 42), public.umig_id('stm', 1 + n % 24),
       CASE WHEN n > 197 THEN ' ' ELSE public.umig_word(n) END,  -- three rejects
       'Step of ' || n, 1 + n % 3
FROM generate_series(1, 200) AS n;
INSERT INTO public.controls_master_ctm (ctm_id, phm_id, ctm_code, ctm_name, ctm_is_critical)
SELECT public.umig_id('ctm', n), public.umig_id('phm', n), 'C' || n, 'Control ' || n, n % 2 = 0 FROM generate_series(1, 12) AS n;
INSERT INTO public.controls_instance_cti (cti_id, phi_id, ctm_id, usr_id_it_validator, usr_id_biz_validator, cti_status)
SELECT public.umig_id('cti', n), public.umig_id('phi', n), public.umig_id('ctm', 1 + n % 12), 1 + n % 12, 1 + (n + 1) % 12,
       CASE n WHEN 42 THEN '' ELSE public.umig_word(n) END  -- one reject
FROM generate_series(1, 42) AS n;
